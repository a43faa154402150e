"""A Prometheus that stores nothing: real PromQL over samples that a source makes when they are asked for."""
