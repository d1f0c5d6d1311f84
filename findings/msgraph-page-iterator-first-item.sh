#!/usr/bin/env bash
# Microsoft's Python SDK for Graph: PageIterator with `list.append` reads only one message.
#
# Version:  msgraph-core 1.5.2
# Expected: `await PageIterator(page, adapter).iterate(messages.append)` collects the messages of all pages; a callback stops the iteration by
#           returning False, as documented.
# Found:    any falsy value stops it, and a function without return value returns None. So the iteration ends after the first item, without
#           an error, and no second page is requested. A callback that returns the number of rows it wrote stops at the first 0. With an `async def`
#           callback it is the opposite: its coroutine is truthy, so all pages are read, but none of the coroutines is ever awaited.
# Matters:  a loader whose callback appends, prints or writes gets one message per channel, or none; a small test with one message
#           succeeds.
# Instead:  a callback that is not a coroutine and ends with `return True`. Or a loop over odata_next_link with .with_url(), which also
#           continues after an empty page, unlike PageIterator.
. "$(dirname "$0")/lib.sh"
install msgraph-core==1.5.2 msgraph-sdk==1.65.0

python - <<'PY'
import asyncio

from msgraph.generated.models.chat_message import ChatMessage
from msgraph.generated.models.chat_message_collection_response import ChatMessageCollectionResponse
from msgraph_core.tasks.page_iterator import PageIterator
from stated import stated


def page(*ids, next_link=None):
    return ChatMessageCollectionResponse(value=[ChatMessage(id=id) for id in ids], odata_next_link=next_link)


class Graph:
    """Has a second page."""

    requests = 0

    async def send_async(self, request, *_):
        self.requests += 1
        return page("3", "4")


def iterate(callback):
    graph = Graph()
    first = page("1", "2", next_link="https://graph.microsoft.com/v1.0/teams/t/channels/c/messages?$skiptoken=2")
    asyncio.run(PageIterator(first, graph).iterate(callback))
    return graph.requests


def ids(messages):
    return [message.id for message in messages]


appended = []
stated("append", (iterate(appended.append), ids(appended)), (0, ["1"]))

returned = []
stated("append, then True", (iterate(lambda message: returned.append(message) or True), ids(returned)), (1, ["1", "2", "3", "4"]))

awaited = []


async def callback(message):
    awaited.append(message)
    return True


stated("async", (iterate(callback), ids(awaited)), (1, []))
PY
