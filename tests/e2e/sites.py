"""Every page of the portal: who opens it, at which address, and under which name its picture is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.urls import URLPattern, get_resolver, reverse
from django.urls.resolvers import URLResolver

VISITOR = ""
TRAINING = "training/"


@dataclass(frozen=True)
class Site:
    """A page: the name of its address, the examples that are its arguments, and what follows the question mark.

    ``who``: an account, the name of an example that is one, or nobody. ``status``: what it answers.
    """

    name: str
    who: str = VISITOR
    args: tuple[str, ...] = ()
    query: str = ""
    title: str = ""
    status: int = 200

    @property
    def picture(self) -> str:
        """The picture's name: place, example, and who looks where several do."""
        return "-".join(part for part in (self.name.replace(":", "-"), *self.args, self.title) if part)

    def path(self, examples: Mapping[str, str]) -> str:
        """The address with the examples put in."""
        args = [examples.get(arg, arg) for arg in self.args]
        if self.name.startswith("training"):
            return f"/{TRAINING}"
        return reverse(self.name, args=args) + (f"?{self.query}" if self.query else "")

    def account(self, examples: Mapping[str, str]) -> str:
        """Who opens it."""
        return examples.get(self.who, self.who)


def _window(name: str, *args: str, query: str = "", title: str = "", who: str = "chuangkou1") -> Site:
    return Site(f"window:{name}", who, args, query, title)


PUBLIC = (
    Site("home"),
    Site("guide"),
    Site("guide", query="q=yushou", title="nothing-found"),
    Site("guide_item", args=("item",)),
    Site("guide_item", args=("item_promise",)),
    Site("guide_notice", args=("item",)),
    Site("progress"),
    Site("verify_form"),
    Site("verify", args=("verify",)),
    Site("verify", args=("no-such-paper",), status=404),
    Site("licences"),
    Site("licences", query="q=nobody", title="nothing-found"),
    Site("licence", args=("licence",)),
    Site("help"),
    Site("accessibility"),
    Site("data_statement"),
    Site("login"),
    Site("demo_accounts"),
    Site("notifications:phones"),
    Site("notifications:phone", args=("phone",)),
    Site("styleguide"),
)
WINDOW = (
    _window("desk"),
    _window("desk", query="q=nobody", title="nothing-found"),
    _window("items"),
    _window("items", query="q=spf", title="found"),
    _window("intake", "item"),
    _window("intake", "item_promise"),
    _window("notice", "item"),
    *(
        _window("case", f"case_{state}")
        for state in (
            "submitted",
            "incomplete",
            "correction",
            "refused",
            "rejected",
            "completed",
            "delivered",
            "review",
        )
    ),
    _window("correct", "case_incomplete"),
    _window("refuse", "case_incomplete"),
    _window("desk", who="chujian1", title="delivery"),
    _window("case", "case_completed", who="chujian1", title="delivery"),
    *(
        Site("paper", "chuangkou1", (f"paper_{kind}",))
        for kind in ("receipt", "correction", "acceptance", "approval", "not_accepted", "rejection")
    ),
    Site("password_change", "chuangkou1"),
)
OFFICE = (
    *(Site("office:list", "reviewer", query=f"tab={tab}", title=tab) for tab in ("review", "issue", "advised", "done")),
    Site("office:case", "reviewer", ("case_review",)),
    Site("office:case", "issuer", ("case_issue",)),
    Site("office:list", "decider", query="tab=decide", title="decide"),
    Site("office:case", "decider", ("case_decision",)),
    Site("office:case", "decider", ("case_delivered",)),
    Site("office:case", "decider", ("case_rejected",)),
    Site("office:list", "spot_decider", query="tab=decide", title="on-the-spot"),
    Site("office:case", "spot_decider", ("case_spot",)),
)
TASKS = (
    Site("tasks:list", "manager"),
    Site("tasks:list", "manager", query="late=1", title="late"),
    Site("tasks:list", "manager", query="queue=closed", title="closed"),
    *(
        Site("tasks:task", "manager", (f"task_{state}",))
        for state in ("notified", "viewed", "acknowledged", "finished", "fed_back", "closed")
    ),
    Site("tasks:list", "head", title="head"),
    Site("tasks:list", "weijian.chushi", title="promise"),
)
OVERSIGHT = (
    Site("oversight:board", "duban1"),
    Site("oversight:case", "duban1", ("case_review",)),
    Site("oversight:case", "duban1", ("case_delivered",)),
    Site("oversight:task", "duban1", ("task_viewed",)),
    Site("oversight:task", "duban1", ("task_closed",)),
    Site("oversight:paper", "duban1", ("paper_not_accepted",)),
    Site("oversight:refusals", "duban1"),
    Site("oversight:unlinked", "duban1"),
    Site("oversight:assign", "duban1", ("case_unlinked",)),
    Site("oversight:messages", "duban1"),
)
DIVISION = (
    Site("division:home", "guanliyuan1"),
    Site("division:department", "guanliyuan1", ("department",)),
    Site("division:people", "guanliyuan1"),
    Site("division:people", "guanliyuan1", query="q=nobody", title="nothing-found"),
    Site("division:person_new", "guanliyuan1"),
    Site("division:person", "guanliyuan1", ("person",)),
    Site("division:linkages", "guanliyuan1"),
    Site("division:linkage_new", "guanliyuan1"),
    Site("division:items", "guanliyuan1"),
    Site("division:item", "guanliyuan1", ("item_pk",)),
    Site("training", "guanliyuan1"),
)
TRACES = (
    Site("traces:home", "jijian1"),
    Site("traces:home", "jijian1", query="q=32070020261", title="not-found"),
    Site("traces:case", "jijian1", ("case_delivered",)),
)
ALL = {
    "public": PUBLIC,
    "window": WINDOW,
    "office": OFFICE,
    "tasks": TASKS,
    "oversight": OVERSIGHT,
    "division": DIVISION,
    "traces": TRACES,
}

# Addresses that are no page of their own.
NO_PAGES = {
    "an act (POST), or a way to a page": {
        "desk",
        "display",
        "logout",
        "office:duty",
        "office:opinion",
        "office:decision",
        "office:complete",
        "tasks:acknowledge",
        "tasks:finish",
        "tasks:feedback",
        "tasks:close",
        "oversight:resend",
        "division:side",
        "division:office_new",
        "division:posting_new",
        "division:active",
        "division:phone",
        "division:password",
        "division:unlock",
        "division:posting_end",
        "division:linkage_turn",
        "division:publish",
        "division:retire",
        "training_jump",
        "training_deadline",
        "training_reset",
        "notifications:phone_of_user",
    },
    "a part of a page": {"window:changes", "window:subject", "window:upload", "window:preview", "guide_suggest"},
    "a file": {
        "file",
        "tasks:file",
        "window:export",
        "office:export",
        "tasks:export",
        "oversight:export",
        "oversight:refusals_export",
        "oversight:unlinked_export",
        "oversight:messages_export",
        "division:export",
        "division:items_export",
        "division:people_export",
        "division:linkages_export",
        "traces:export",
    },
    "for machines": {"healthz", "schema", "notifications:receipts"},
}


def names(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """The names of all addresses but the API's, with their namespaces; the training page's are the demo's own."""
    if resolver is None:
        yield from names(get_resolver())
        yield from names(get_resolver("deadlines.urls"))
        return
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            space = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            if not (pattern.namespace or "").startswith("api"):
                yield from names(pattern, space)
        elif isinstance(pattern, URLPattern) and pattern.name:
            yield prefix + pattern.name
