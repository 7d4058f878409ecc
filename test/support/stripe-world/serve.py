"""Serves Stripe World, an independent stateful replica of Stripe Billing, to test/field/stripe-world.test.ts.

The clock of Stripe World does not run, and it delivers no webhooks. This adds two requests: POST /clock {"now": ISO time} moves its
clock, POST /cycle {"subscription": id} ends the period of a subscription. Its events are read by GET /v1/events.
"""

import __future__
import json
import sys
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.machinery import PathFinder, SourceFileLoader


class PostponedAnnotations(SourceFileLoader):
    """Postpones annotations. Only for this does Stripe World need Python 3.14, and 3.12 can do it with a compiler flag."""

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        flags = __future__.annotations.compiler_flag
        return compile(self.get_data(path), path, "exec", flags=flags, dont_inherit=True)

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split(".")[0] not in ("seahaven", "seahaven_stripe_world"):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec and isinstance(spec.loader, SourceFileLoader):
            spec.loader = cls(spec.loader.name, spec.loader.path)
        return spec


sys.meta_path.insert(0, PostponedAnnotations)

from seahaven.http import HttpRequest, HttpResponse  # noqa: E402
from seahaven.http.runtime import dispatch  # noqa: E402
from seahaven_stripe_world import world  # noqa: E402
from seahaven_stripe_world.billing.subscription_lifecycle import advance_cycle  # noqa: E402
from seahaven_stripe_world.http_api import handle  # noqa: E402


def answer(ctx, request):
    match request.path:
        case "/clock":
            # The clock of a world is fixed, and has no public way to move.
            ctx.clock._start = datetime.fromisoformat(request.json()["now"])
            return HttpResponse.json({})
        case "/cycle":
            return HttpResponse.json(advance_cycle(ctx, request.json()["subscription"])["status"])
        case _:
            return handle(ctx, request)


class Handler(BaseHTTPRequestHandler):
    def serve(self):
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = tuple(self.headers.items())
        response = dispatch(instance, answer, HttpRequest(self.command, path, query, headers, body))
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(response.body_bytes)))
        self.end_headers()
        self.wfile.write(response.body_bytes)

    do_GET = do_POST = do_DELETE = serve

    def log_message(self, *_):
        pass


with world.instance(now=sys.argv[1], clock_mode="fixed", startup={"livemode": True}) as instance:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
