"""Counts words."""

from collections import Counter

from plural import counted


def count(text):
    """The words of a text with how often each is there, the most frequent first."""
    return Counter(text.split()).most_common()


def main(stream):
    for word, times in count(stream.read()):
        print(f'{word}: {counted(times, "time")}')
