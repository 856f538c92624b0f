"""The part of a message that shows why it was found."""

BEFORE = 60
LENGTH = 200


def snippet(text: str, words: list[str]) -> str:
    """About 200 characters around the first of the words, on one line, cut at spaces."""
    line = " ".join(text.split())
    lowered = line.lower()
    # Lower-casing may change the length of a few scripts; then the beginning has to do.
    places = [lowered.find(word) for word in words] if len(lowered) == len(line) else []
    first = min((place for place in places if place >= 0), default=0)
    start = max(0, first - BEFORE)
    if start > 0:
        start = line.find(" ", start, first) + 1 or start
    end = min(len(line), start + LENGTH)
    if end < len(line):
        space = line.rfind(" ", start + LENGTH // 2, end)
        end = space if space > 0 else end
    return f"{'…' if start > 0 else ''}{line[start:end]}{'…' if end < len(line) else ''}"
