"""Airbyte's consumers: its definition of metadata.yaml, the CDK's standard tests, the retired acceptance tests, PyAirbyte."""
