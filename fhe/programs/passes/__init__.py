"""From graph to graph, each of the same meaning."""
