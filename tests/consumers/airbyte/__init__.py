"""Airbyte's consumers: the schema of metadata.yaml, the CDK's standard tests, the retired acceptance tests, PyAirbyte."""
