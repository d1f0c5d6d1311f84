"""What Airbyte's retired connector acceptance tests asserted and its standard tests do not, by the names of the originals.

The originals are airbytehq/airbyte, airbyte-integrations/bases/connector-acceptance-test; docs/conformance.md says what became of each.
"""
