#!/usr/bin/env python3
"""rule_samples_can_fail.py: rule_samples.py fails for each thing that it is there to find. Prints TAP."""
import os
import subprocess
import sys
import tempfile

RULE = '''rule one : tag
{
  meta:
    author = "kvali"
    date = "2026-01-31"
    description = "Two words"
    reference = "https://example.org/"
    attack = "T1027.002, T1486"
    severity = 50
  strings:
    // ფული
    $a8 = { E1 83 A4 E1 83 A3 E1 83 9A E1 83 98 }
    $b = "second"
  condition:
    all of them
}
'''
SAMPLE = 'rule one\ntext ფული second\nmiss second => third\n'
OTHER = RULE.replace('rule one', 'rule other').replace('all of', 'any of')

# What is wrong, the rules, the samples, and what must be said of it
CASES = (
    ('nothing', RULE, SAMPLE, None),
    ('a rule that does not compile', RULE.replace('all of them', 'all of those'), SAMPLE, 'error: rule "one"'),
    ('a slow string', RULE.replace('"second"', '/[a-z]{6}/'), SAMPLE, 'may slow down scanning'),
    ('no author', RULE.replace('    author = "kvali"\n', ''), SAMPLE, 'one: it has no author'),
    ('no date', RULE.replace('    date = "2026-01-31"\n', ''), SAMPLE, 'one: it has no date'),
    ('a day that there is not', RULE.replace('01-31', '02-31'), SAMPLE, 'one: date is no day'),
    ('no description', RULE.replace('"Two words"', '""'), SAMPLE, 'one: it has no description'),
    ('no reference', RULE.replace('    reference = "https://example.org/"\n', ''), SAMPLE, 'one: it has no reference'),
    ('no severity', RULE.replace('    severity = 50\n', ''), SAMPLE, 'one: it has no severity'),
    ('a severity of 101', RULE.replace('= 50', '= 101'), SAMPLE, 'one: severity is no number'),
    ('a technique that is none', RULE.replace('T1486', '1486'), SAMPLE, 'one: attack is no list'),
    ('a word that the hex does not say', RULE.replace('// ფული', '// ფულს'), SAMPLE, '$a8 is not what the comment'),
    ('a rule without a sample', RULE + RULE.replace('rule one', 'rule two'), SAMPLE, 'two: there is no sample of it'),
    ('a rule without a miss', RULE, SAMPLE[:SAMPLE.index('miss')], 'one: there is no sample that it must not match'),
    ('a sample without a rule', RULE, SAMPLE + SAMPLE.replace('rule one', 'rule two'), 'two: there is a sample, and no such rule'),
    ('a sample that does not match', RULE, SAMPLE.replace('ფული', 'ფულს'), 'one: does not match its sample'),
    ('a miss that matches', RULE, SAMPLE + 'miss second => other second\n', 'one: its sample without "second" is matched'),
    ('a miss that changes nothing', RULE, SAMPLE + 'miss fourth => fifth\n', 'no line of its sample holds'),
    ('another rule that matches', RULE + OTHER, SAMPLE + SAMPLE.replace('rule one', 'rule other') + 'also one\n', 'by other too'),
    ('two rules of a name', RULE + RULE, SAMPLE, 'there is another rule one'),
)


def run(here, rules, samples):
    with tempfile.TemporaryDirectory(prefix='kvali-rules-') as folder:
        for place, name, text in (('rules', 'a.yar', rules), ('samples', 'a.txt', samples)):
            os.mkdir(os.path.join(folder, place))
            with open(os.path.join(folder, place, name), 'w', encoding='utf-8') as file:
                file.write(text)
        command = [sys.executable, '-B', os.path.join(here, 'rule_samples.py'), f'{folder}/rules', f'{folder}/samples']
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        return result.returncode, result.stdout + result.stderr


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    failed = 0
    for i, (what, rules, samples, words) in enumerate(CASES, 1):
        code, said = run(here, rules, samples)
        right = code == 0 if words is None else code == 1 and words in said
        failed += not right
        print(f'{"ok" if right else "not ok"} {i} - {what} is {"fine" if words is None else "found"}')
        if not right:
            print(said, file=sys.stderr)
    print(f'1..{len(CASES)}')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
