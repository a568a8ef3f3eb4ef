"""Languages of data: codes in names and fields, scripts of letters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import regex

from switchrank.collections.mmarco.names import MMARCO_NAMES

_TWO = """
aa ab af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cv cy da de dv dz ee el en eo es et eu fa
ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km
kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj
om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn
to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
_THREE = """
afr=af aka=ak amh=am ara=ar arb=ar asm=as aze=az bel=be ben=bn bos=bs bul=bg cat=ca ces=cs cze=cs cmn=zh zho=zh chi=zh
cym=cy wel=cy dan=da deu=de ger=de ell=el gre=el eng=en epo=eo est=et eus=eu baq=eu fas=fa per=fa pes=fa fin=fi fra=fr
fre=fr gle=ga glg=gl guj=gu hau=ha heb=he hin=hi hrv=hr hun=hu hye=hy arm=hy ibo=ig ind=id isl=is ice=is ita=it jpn=ja
jav=jv kat=ka geo=ka kaz=kk khm=km kan=kn kor=ko kur=ku kin=rw lao=lo lat=la lav=lv lit=lt lug=lg mal=ml mar=mr mkd=mk
mac=mk mlg=mg mlt=mt mon=mn msa=ms may=ms mya=my bur=my nep=ne nld=nl dut=nl nno=nn nob=nb nor=no nya=ny ori=or orm=om
pan=pa pol=pl por=pt pus=ps ron=ro rum=ro rus=ru slk=sk slo=sk slv=sl sna=sn som=so sot=st spa=es sqi=sq alb=sq srp=sr
swa=sw swh=sw swe=sv tam=ta tel=te tgk=tg tgl=tl tha=th tir=ti tsn=tn tso=ts tuk=tk tur=tr twi=tw uig=ug ukr=uk urd=ur
uzb=uz vie=vi wol=wo xho=xh yor=yo zul=zu
"""
_ALONE = "bem fon luo pcm ltg ast ceb sco simple nds zsm lmo bjn kab tum umb kmb luy mos ewe qaa qab qac qad"
_KNOWN = (
    {code: code for code in _TWO.split()}
    | dict(pair.split("=") for pair in _THREE.split())
    | {code: code for code in _ALONE.split()}
)
_WORDS = {"am", "an", "as", "be", "he", "id", "in", "is", "me", "my", "no", "or", "so", "to"}
"""English words that are codes too: believed only beside another code, or at the end of a name."""
_NAMED = {name: code for code, name in MMARCO_NAMES.items()}
_PACKED = re.compile(r"\.(gz|bz2|xz|zip|zst|json|jsonl|tsv|txt|vec|bin|xml|sql|tei|parquet|arrow)$")
_WIKI = re.compile(r"([a-z]{2,3})wiki")

_SCRIPTS = """
Latin Cyrillic Greek Arabic Hebrew Devanagari Bengali Gurmukhi Gujarati Tamil Telugu Kannada Malayalam Sinhala Thai Lao
Khmer Myanmar Tibetan Georgian Armenian Ethiopic Hangul Han Hiragana Katakana
"""
_SCRIPT = {name: regex.compile(rf"\p{{Script={name}}}") for name in _SCRIPTS.split()}
_SAMPLE = 20_000


def code(text: str) -> str:
    """The ISO 639-1 code of a language code (639-3 where there is none), or the empty string."""
    return _KNOWN.get(text.strip().lower().partition("_")[0].partition("-")[0], "")


def codes(found: Iterable[str]) -> list[str]:
    """Known codes, each once, as they come."""
    return list(dict.fromkeys(known for text in found if (known := code(text))))


def from_name(path: Path) -> list[str]:
    """Languages that the name of a file tells, or else that of its folder."""
    return _of_name(path.name) or _of_name(path.resolve().parent.name)


def _of_name(name: str) -> list[str]:
    name = name.lower()
    while _PACKED.search(name):
        name = _PACKED.sub("", name)
    parts = [part for part in re.split(r"[._\-+ ]+", name) if part]
    last = len(parts) - 1
    found = []
    for place, part in enumerate(parts):
        wiki = _WIKI.match(part)
        known = _NAMED.get(part) or (_KNOWN.get(wiki[1], "") if wiki else _KNOWN.get(part, ""))
        beside = any(near in _KNOWN for near in parts[max(0, place - 1) : place] + parts[place + 1 : place + 2])
        if known and (part not in _WORDS or (place == last and place > 0) or beside or not last):
            found.append(known)
    return list(dict.fromkeys(found))


def scripts(texts: Iterable[str]) -> list[str]:
    """Scripts of the letters of a sample, most frequent first, with shares where there are several."""
    sample = " ".join(texts)[:_SAMPLE]
    counts = Counter({name: len(pattern.findall(sample)) for name, pattern in _SCRIPT.items()})
    total = counts.total()
    shares = [(name, number / total) for name, number in counts.most_common() if total and number >= 0.05 * total]
    return [name if len(shares) == 1 else f"{name} {share:.0%}" for name, share in shares]
