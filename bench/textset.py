#!/usr/bin/env python3
"""Text files for measuring the index: textset.py FOLDER MEGABYTES. Words come as often as words do (Zipf), a third each Latin,
Georgian and Cyrillic; files of 4 KB to 4 MB; the same for the same size. In every hundredth file stands one rare word."""
import os
import random
import sys

SCRIPTS = ("bcdfghklmnprstvwnrstldm aeiou", "ბგდვზთკლმნპრსტფქღყშჩცძწჭხჯმრსნდლვ აეიოუ", "бвгджзклмнпрстфхцчшнтрсвл аеиоуыя")


def vocabulary(rng, script, count=60000):
    consonants, vowels = SCRIPTS[script].split()
    words = set()
    while len(words) < count:
        words.add("".join(rng.choice(consonants) + rng.choice(vowels) for _ in range(rng.randint(1, 5))))
    return sorted(words)


def main():
    folder, left = sys.argv[1], int(sys.argv[2]) * 1000000
    rng, number = random.Random(1), 0
    words = [vocabulary(rng, s) for s in range(3)]
    weights = [1 / (i + 3) for i in range(60000)]
    total, cumulative = 0, []
    for w in weights:
        total += w
        cumulative.append(total)
    os.makedirs(folder, exist_ok=True)
    pools = [[rng.choices(words[s], cum_weights=cumulative, k=400000) for _ in range(2)] for s in range(3)]
    while left > 0:
        pool = pools[number % 3][number % 2]
        size = min(left, int(4096 * 1000 ** rng.random()))
        parts, got = [], 0
        while got < size:
            at = rng.randrange(len(pool) - 200)
            line = " ".join(pool[at : at + rng.randint(5, 200)]) + ".\n"
            parts.append(line)
            got += len(line.encode())
        if number % 100 == 0:
            parts.insert(rng.randrange(len(parts)), "kvalirareword იშვიათისიტყვა редкоеслово\n")
        with open(f"{folder}/{number:06}.txt", "w", encoding="utf-8") as out:
            out.write("".join(parts))
        left -= got
        number += 1


main()
