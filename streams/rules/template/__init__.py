"""Templates of rule labels and annotations: Go's text/template with the functions of Prometheus."""

from streams.rules.template.functions import FUNCTIONS
from streams.rules.template.template import (
    DETECT_VARIABLES,
    NOW,
    PLAIN_VARIABLES,
    Scope,
    Template,
)

__all__ = ["DETECT_VARIABLES", "FUNCTIONS", "NOW", "PLAIN_VARIABLES", "Scope", "Template"]
