"""Clients get the form they ask for; queries are streamed to nobody who could take them whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.web.negotiation import Representation, choose, refusal, status_for

JSON = Representation.JSON
GRAPHQL_RESPONSE = Representation.GRAPHQL_RESPONSE
SSE = Representation.SSE
MULTIPART = Representation.MULTIPART

APOLLO = 'multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/json'
APOLLO_4 = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"
APOLLO_DEFER = "multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9"
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
)
URQL_SUBSCRIPTION = "text/event-stream, multipart/mixed"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("application/json", JSON),
        ("application/json; charset=utf-8", JSON),
        ("APPLICATION/JSON", JSON),
        ("application/graphql-response+json", GRAPHQL_RESPONSE),
        ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", GRAPHQL_RESPONSE),
        ("application/json, application/graphql-response+json", JSON),
        ("application/json;q=0.9, application/graphql-response+json", GRAPHQL_RESPONSE),
        ("application/json, application/graphql-response+json;q=0.9", JSON),
        ("application/graphql-response+json, */*", GRAPHQL_RESPONSE),
        ("*/*, application/graphql-response+json", GRAPHQL_RESPONSE),
        ("*/*, application/graphql-response+json;q=0.5", JSON),
        ("application/*;q=0.5, */*", JSON),
        ("application/json;q=0, */*", GRAPHQL_RESPONSE),
        ("application/json;q=0.0, application/*;q=0.1", GRAPHQL_RESPONSE),
        (APOLLO, JSON),
        (APOLLO_DEFER, GRAPHQL_RESPONSE),
        (URQL, GRAPHQL_RESPONSE),
        (BROWSER, JSON),
        ("text/event-stream, */*;q=0.1", JSON),
        ("text/event-stream, application/json;q=0.1", JSON),
        ("text/event-stream", SSE),
        ("text/*", SSE),
        (URQL_SUBSCRIPTION, SSE),
        ("multipart/mixed;subscriptionSpec=1.0", MULTIPART),
        ("text/event-stream;q=0.5, multipart/mixed;subscriptionSpec=1.0", MULTIPART),
    ],
)
def test_a_query_is_answered_whole_wherever_that_is_accepted(accept: str | None, chosen: Representation) -> None:
    assert choose(accept, subscription=False) is chosen


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "image/*",
        "application/xml, text/plain",
        "*/*;q=0",
        "application/*;q=0, */*",
        "application/json;q=0",
        "application/graphql+json",
    ],
)
def test_a_query_that_cannot_be_answered_acceptably_is_not(accept: str) -> None:
    assert choose(accept, subscription=False) is None


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("text/event-stream", SSE),
        ("text/event-stream; charset=utf-8", SSE),
        (URQL, SSE),
        (URQL_SUBSCRIPTION, SSE),
        (APOLLO, MULTIPART),
        (APOLLO_4, MULTIPART),
        ("multipart/mixed; SubscriptionSpec = 1.0", MULTIPART),
        ('multipart/mixed;subscriptionSpec="1.0"', MULTIPART),
        ('multipart/mixed;boundary="a,b;q=0\\"";subscriptionSpec=1.0', MULTIPART),
        ("multipart/mixed;subscriptionSpec=1.0, text/event-stream", MULTIPART),
        ("text/event-stream, multipart/mixed;subscriptionSpec=1.0", SSE),
        ("multipart/mixed;subscriptionSpec=1.0;q=0.5, text/event-stream", SSE),
        ("text/event-stream;q=0.5, multipart/mixed;subscriptionSpec=1.0;q=0.6", MULTIPART),
        ("multipart/mixed;deferSpec=20220824, multipart/mixed;subscriptionSpec=1.0", MULTIPART),
        ("application/json, text/event-stream;q=0.1", SSE),
    ],
)
def test_a_subscription_is_streamed_as_the_client_prefers(accept: str, chosen: Representation) -> None:
    assert choose(accept, subscription=True) is chosen


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "text/*",
        BROWSER,
        "application/json",
        "application/graphql-response+json, application/json",
        "multipart/mixed",
        "multipart/mixed;subscriptionSpec=2.0",
        APOLLO_DEFER,
        "text/event-stream;q=0, */*",
    ],
)
def test_a_subscription_is_streamed_only_to_who_asks_for_a_stream_by_name(accept: str | None) -> None:
    assert choose(accept, subscription=True) is None


def test_who_gets_nothing_is_told_what_there_is() -> None:
    assert all(each in refusal(subscription=False) for each in Representation)
    told = refusal(subscription=True)
    assert choose(told.partition("accept ")[2].partition(" or ")[0], subscription=True) is SSE
    assert choose("multipart/mixed;subscriptionSpec=1.0", subscription=True) is MULTIPART
    assert "multipart/mixed;subscriptionSpec=1.0" in told


@pytest.mark.parametrize(
    "accept",
    [
        "application/json;q=high",
        "application/json;q=",
        "application/json;q=-1",
        "application/json;q=nan",
        "application/json;q=7",
        "application/json;;;",
        ",,application/json,,",
        "nonsense, application/json",
        'application/json;a="never closed, text/event-stream',
        "json",
        ";q=1",
        ",",
        "application/json" + "," * 100_000,
    ],
    ids=lambda accept: accept[:40],
)
def test_a_malformed_header_is_taken_as_it_was_meant(accept: str) -> None:
    assert choose(accept, subscription=False) is JSON


def test_only_the_beginning_of_an_endless_header_is_read() -> None:
    endless = "text/html," * 200
    assert choose("application/json," + endless, subscription=False) is JSON
    assert choose(endless + "application/json", subscription=False) is None


@given(st.text(alphabet=',;="\\/*q.01 aj', max_size=40) | st.text(), st.booleans())
def test_no_header_is_too_strange(accept: str, subscription: bool) -> None:
    assert choose(accept, subscription=subscription) in {*Representation, None}


@pytest.mark.parametrize(
    ("representation", "data_absent", "status"),
    [
        (JSON, False, 200),
        (JSON, True, 200),
        (GRAPHQL_RESPONSE, False, 200),
        (GRAPHQL_RESPONSE, True, 400),
        (SSE, True, 200),
        (MULTIPART, True, 200),
    ],
)
def test_only_the_new_media_type_says_by_its_status_that_there_is_no_data(
    representation: Representation, data_absent: bool, status: int
) -> None:
    assert status_for(representation, data_absent=data_absent) == status
