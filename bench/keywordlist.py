#!/usr/bin/env python3
"""A list of N keywords for measuring: a third each Latin, Georgian and Cyrillic, of three to five syllables (6 to 15 letters), one in ten of two,,
made of letters as often as they are in the language, and the same for the same N. keywordlist.py 5000 > list.txt"""
import random
import sys

SCRIPTS = {
    "latin": ("bcdfghklmnprstvw" + "nrstldm" * 2, "aeiou" + "aeio" * 2),
    "georgian": ("ბგდვზთკლმნპჟრსტფქღყშჩცძწჭხჯჰ" + "მრსნდლვ" * 3, "აეიოუ" + "აიე" * 3),
    "cyrillic": ("бвгджзклмнпрстфхцчшщ" + "нтрсвлк" * 2, "аеиоуыюя" + "аеио" * 2),
}


def word(rng, script):
    consonants, vowels = SCRIPTS[script]
    text = ""
    for _ in range(2 if rng.random() < 0.1 else rng.randint(3, 5)):
        text += rng.choice(consonants) + rng.choice(vowels)
        if rng.random() < 0.3:
            text += rng.choice(consonants)
    return text


def main():
    rng, count, seen = random.Random(1), int(sys.argv[1]), set()
    while len(seen) < count:
        script = list(SCRIPTS)[len(seen) % 3]
        text = word(rng, script)
        if text in seen:
            continue
        seen.add(text)
        print(text)


main()
