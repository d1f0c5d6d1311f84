"""What the checks of the consumers share: environments, the simulated tenant, a database, and the comparison with what is true."""
