"""What can be wrong with a page for who cannot see it well, uses no mouse, has a telephone or wants less motion.

Each check answers what it finds, a line for each element.
"""

from playwright.sync_api import Page


def unnamed(page: Page) -> list[str]:
    """What can be focused and has no name for those who do not see it, by the browser's own account."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [
        f"no name: {node['role']['value']} {node.get('properties')}"
        for node in nodes
        if not node["ignored"]
        and node["role"]["value"] not in ("RootWebArea", "main")
        and any(each["name"] == "focusable" and each["value"]["value"] for each in node.get("properties", ()))
        and not node.get("name", {}).get("value")
    ]


MOVING = """() => [...document.querySelectorAll("*")].flatMap((element) => {
    const { transitionDuration, animationDuration, animationName, scrollBehavior } = getComputedStyle(element);
    const longest = (text) => Math.max(...text.split(",").map(parseFloat));
    const moves = longest(transitionDuration) > 0.01 || (animationName !== "none" && longest(animationDuration) > 0.01);
    return moves || scrollBehavior === "smooth" ? [`moves: ${element.outerHTML.slice(0, 120)}`] : [];
})"""


def moving(page: Page) -> list[str]:
    """What moves although whoever looks asked for less motion."""
    return page.evaluate(MOVING)


TOO_WIDE = """() => {
    const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
    const isHeld = ({ parentElement: up }) => up && up !== document.body && (scrolls(up) || isHeld(up));
    const whole = document.documentElement.scrollWidth;
    const found = whole > innerWidth ? [`scrolls: ${whole}`] : [];
    for (const element of document.body.querySelectorAll("*")) {
        const { left, right, width, height } = element.getBoundingClientRect();
        if (width > 1 && height > 1 && (right > innerWidth + 0.5 || left < -0.5) && !isHeld(element))
            found.push(`too wide (${left} to ${right}): ${element.outerHTML.slice(0, 120)}`);
    }
    return found;
}"""


def too_wide(page: Page) -> list[str]:
    """What lies outside of a telephone's screen, and in nothing that scrolls."""
    return page.evaluate(TOO_WIDE)


STOPS = """() => {
    const can = "a[href], button, input, select, textarea, summary, [tabindex]";
    const isChosen = ({ type, name, checked }) =>
        type !== "radio" || checked || !document.querySelector(`input[name="${name}"]:checked`);
    const isShown = (one) => one.type !== "hidden" && one.checkVisibility({ visibilityProperty: true });
    const isThere = (one) => one.tabIndex >= 0 && !one.disabled && isShown(one);
    window.stops = [...document.querySelectorAll(can)].filter((one) => isThere(one) && isChosen(one));
    window.walked = [];
    addEventListener("focusin", ({ target }) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(target);
        const isSeen = (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
        window.walked.push([window.stops.indexOf(target), isSeen, target.outerHTML.slice(0, 160)]);
    });
    const dates = window.stops.filter((one) => one.type === "date").length;
    const before = document.createElement("i"); // the walk begins at the top, whatever has the focus now
    before.tabIndex = -1;
    document.body.prepend(before);
    before.focus();
    before.remove();
    window.walked = [];
    return [window.stops.length, window.stops.length + 3 * dates];
}"""
"""Answers how many places there are, and how many presses they take: a date has a part of its own for each figure."""
SHUFFLED = """() => [...document.querySelectorAll("body *")].filter((one) => {
    const { order, flexDirection } = getComputedStyle(one);
    return order !== "0" || flexDirection.endsWith("reverse") || one.tabIndex > 0;
}).map((one) => `out of order: ${one.outerHTML.slice(0, 120)}`)"""


def walked(page: Page) -> list[str]:
    """What Tab does not reach, reaches out of the order in which it is read, or does not show that it is there."""
    count, presses = page.evaluate(STOPS)
    for _ in range(presses):
        page.keyboard.press("Tab")
    steps = page.evaluate("window.walked")
    faults = [f"step {at} is number {stop}: {html}" for at, (stop, _, html) in enumerate(steps) if stop != at]
    faults += [f"focus is not seen: {html}" for _, is_seen, html in steps if not is_seen]
    if len(steps) < count:
        faults.append(f"Tab reaches {len(steps)} of {count}")
    return [*faults[:5], *page.evaluate(SHUFFLED)]
