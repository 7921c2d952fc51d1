"""Who computes: the seam (`protocol`), its native side (`native`), and the choice between sides (`choose`)."""
