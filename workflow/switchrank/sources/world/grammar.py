"""How each language of the made-up world says a clause: word order, agreement, particles, spelling of a sentence."""

from __future__ import annotations

from switchrank.sources.world.languages import Language
from switchrank.sources.world.meanings import Clause, Phrase

DETERMINERS = {
    False: ("definite", "indefinite", "this", "every", "one"),
    True: ("definite", "some", "these", "many", "few"),
}
"""Names of the determiners of singular and plural phrases."""
SECOND_SYNONYM = 5
"""Of 16 draws, how many take the second synonym."""
TENSE_SLOTS = {"present": "pres", "past": "past", "progressive": "ing"}


class Grammar:
    """Says clauses in one language.

    Args:
        language: its words and rules.
    """

    def __init__(self, language: Language) -> None:
        self._words, self._particles, self._rules = language.words, language.particles, language.rules
        self._space = " " if language.rules.spaced else ""
        self._english = language.code == "en"

    def _word(self, concept: int, slot: str, luck: int) -> str:
        synonyms = self._words[concept]
        return synonyms[1 if len(synonyms) > 1 and luck & 15 < SECOND_SYNONYM else 0][slot]

    def _phrase(self, phrase: Phrase, luck: int, oblique: bool) -> list[str]:
        slot = ("pl" if phrase.plural else "sg") + ("_obl" if oblique else "")
        words = [self._word(phrase.noun, slot, luck)]
        if phrase.adjective >= 0:
            adjective = self._word(phrase.adjective, "adj", luck >> 4)
            words = [adjective, *words] if self._rules.adjective_first else [*words, adjective]
        name = DETERMINERS[phrase.plural][phrase.determiner] if phrase.determiner >= 0 else ""
        determiner = self._particles.get(name)
        if determiner == "a" and words[0][0] in "aeiou":
            determiner = "an"
        return [determiner, *words] if determiner else words

    def _verb(self, clause: Clause, slot: str, adverb: list[str]) -> list[str]:
        """The verb with its helper; English puts the adverb between the two."""
        words = [self._word(clause.verb, slot, clause.luck)]
        if slot != "ing":
            return [*adverb, *words]
        plural = clause.subject is not None and clause.subject.plural
        helper = ("are" if plural else "is") if self._english else self._particles.get("ongoing")
        return [*([helper] if helper else []), *adverb, *words]

    def phrases(self, clause: Clause, verb: str = "") -> list[list[str]]:
        """The words of a clause, lower case, by phrases; ``verb`` names its form, otherwise tense and number decide."""
        agreeing = clause.tense == "present" and clause.subject is not None and clause.subject.plural
        slot = verb or ("base" if agreeing else TENSE_SLOTS[clause.tense])
        adverb = [self._particles[clause.adverb]] if clause.adverb else []
        parts = {"T": adverb} if self._rules.pause else {}
        if clause.verb >= 0:
            parts["V"] = self._verb(clause, slot, [] if self._rules.pause else adverb)
        if clause.subject:
            parts["S"] = self._phrase(clause.subject, clause.luck >> 4, False)
        if clause.object:
            parts["O"] = self._phrase(clause.object, clause.luck >> 12, True)
        if clause.place:
            noun = clause.place if self._rules.determined_place else clause.place._replace(determiner=-1)
            place, at = self._phrase(noun, clause.luck >> 20, True), [self._particles[clause.preposition]]
            parts["P"] = at + place if self._rules.preposition_first else place + at
        return [parts[name] for name in self._rules.order if parts.get(name)]

    def words(self, clause: Clause) -> list[str]:
        """The words of a clause in order, lower case."""
        return [word for phrase in self.phrases(clause) for word in phrase]

    def _join(self, phrases: list[list[str]]) -> str:
        return (self._rules.pause + self._space).join(self._space.join(phrase) for phrase in phrases)

    def sentence(self, clause: Clause) -> str:
        """A clause as a sentence; only English has capitals."""
        text = self._join(self.phrases(clause)) + self._rules.stop
        return text[0].upper() + text[1:] if self._english else text

    def passage(self, clauses: tuple[Clause, ...]) -> str:
        """Sentences one after another."""
        return self._space.join(self.sentence(clause) for clause in clauses)

    def question(self, clause: Clause, asked: str) -> str:
        """A search query, lower case, no question mark; ``asked`` is the question word ('' for key words)."""
        if not asked:
            return self._join(self.phrases(clause))
        plural = clause.subject is not None and clause.subject.plural
        helper = ["do" if plural else "does"] if self._english else []
        return self._join([[self._particles[asked], *helper], *self.phrases(clause, "base")])
