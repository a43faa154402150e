"""A web service beside the platform, in the same world: what a runbook other than the SOP's launches.

The runbook given names it: namespaces, release, deployment, domain, image, secrets. The rest is the world's: one
deployment, a page or two, JSON at /products, health, metrics of its own, a small database.
"""
