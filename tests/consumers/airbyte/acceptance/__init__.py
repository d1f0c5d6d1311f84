"""Assertions of Airbyte's retired connector acceptance tests that its standard tests lack, with the original names.

The originals are airbytehq/airbyte, airbyte-integrations/bases/connector-acceptance-test; docs/conformance.md lists where each one is checked now.
"""
