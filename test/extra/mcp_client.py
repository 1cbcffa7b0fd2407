"""The official Python client against rowtrail, over HTTP and over standard input and output.

    mcp_client.py BASE-URL TOKEN-FILE ROWTRAIL-BINARY STORE-URL
"""
import asyncio
import json
import sys

import httpx2
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

base, token_file, binary, store = sys.argv[1:]
token = open(token_file).read().strip()


async def investigate(session):
    await session.initialize()
    tools = (await session.list_tools()).tools
    assert len(tools) == 11, [tool.name for tool in tools]

    async def call(name, **arguments):
        result = await session.call_tool(name, arguments)
        text = result.content[0].text
        assert not getattr(result, "isError", getattr(result, "is_error", False)), text
        return json.loads(text)

    found = await call("rowtrail_search_events", limit=3)
    seq = found["events"][0]["seq"]
    event = await call("rowtrail_get_event", seq=seq, proof=True)
    assert event["event"]["seq"] == seq and event["changes"]
    row = await call("rowtrail_row_at", database="pharmacy", table="big", pk=18446744073709551615)
    assert row["state"]["row"]["id"] == "18446744073709551615", row["state"]
    prompts = (await session.list_prompts()).prompts
    assert len(prompts) == 3, prompts


async def over_stdio():
    parameters = StdioServerParameters(command=binary, args=["mcp", "--store", store])
    async with stdio_client(parameters) as streams:
        async with ClientSession(streams[0], streams[1]) as session:
            await investigate(session)


async def over_http():
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers) as client:
        async with streamable_http_client(base + "/mcp", http_client=client) as streams:
            async with ClientSession(streams[0], streams[1]) as session:
                await investigate(session)


for name, run in (("stdio", over_stdio), ("HTTP", over_http)):
    asyncio.run(asyncio.wait_for(run(), 60))
    print(f"  ok    the Python client over {name}")
