"""How much one request may ask for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """What a request may ask for.

    Units: `max_depth` levels of fields; `max_tokens` of a document; `max_fields` after every fragment is put where it
           is used; `page_default` and `page_max` entries on a page of a list. `max_fragments` and `max_same_name`
           (fields of one name; one with fields of its own counts as three) are there because validation compares each
           with each.
    """

    max_depth: int = 12
    max_tokens: int = 2000
    max_fields: int = 2000
    max_fragments: int = 100
    max_same_name: int = 200
    page_default: int = 50
    page_max: int = 200
