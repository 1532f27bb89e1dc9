"""A receiver of one's own: a small HTTP service that takes Tocsin's webhook and prints one line an announcement.

Run it with `python -m examples.receiver`, and name http://127.0.0.1:8080/ as the url of a webhook receiver.
"""

from collections import OrderedDict

from aiohttp import web

REMEMBERED = 10_000
seen: OrderedDict[str, None] = OrderedDict()


async def take(request: web.Request) -> web.Response:
    """Print an announcement, once: a repeated attempt carries the same key."""
    key = request.headers["Idempotency-Key"]
    if key not in seen:
        told = await request.json()
        incident = told["tocsin"]
        cause = incident["causes"][0]["entity"] if incident["causes"] else "unknown"
        print(f"{told['status']}: {incident['title']} (cause: {cause})", flush=True)  # noqa: T201  the terminal is its receiver
        seen[key] = None
        if len(seen) > REMEMBERED:
            seen.popitem(last=False)
    return web.Response(status=204)


def app() -> web.Application:
    """The service."""
    made = web.Application()
    made.router.add_post("/", take)
    return made


if __name__ == "__main__":
    web.run_app(app(), host="127.0.0.1", port=8080)
