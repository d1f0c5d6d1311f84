"""Helpers of the consumer tests: environments, the simulated tenant, a database, and the comparison with the tenant."""
