"""Flat pictures of the demo products: a shape for the kind of thing, in the colour its fact names."""

from __future__ import annotations

import colorsys
import re
from html import escape
from pathlib import Path

# A word of the colour fact → its tone; the first that occurs counts, so the particular ones stand first.
TONES = {
    "brick": "#b4533c",
    "blush": "#e3a9a5",
    "brass": "#c9a24b",
    "chestnut": "#7d4a32",
    "midnight": "#27335f",
    "clear blue": "#7cbfe0",
    "ocean": "#2f7fa8",
    "slate": "#5b7288",
    "forest": "#2f5d46",
    "moss": "#6f7f45",
    "sage": "#9db394",
    "pale green": "#a8cdb0",
    "pale yellow": "#efdc8f",
    "olive": "#77763c",
    "mint": "#9fd6c0",
    "teal": "#26858a",
    "navy": "#2a3a63",
    "coral": "#ee8268",
    "rust": "#a9502c",
    "ochre": "#cc9032",
    "orange": "#e5863a",
    "charcoal": "#4a4d52",
    "graphite": "#5a5d63",
    "mist": "#aeb6bb",
    "walnut": "#77553d",
    "cork": "#b58a5f",
    "oak": "#c9a06a",
    "flax": "#cdbd9a",
    "beige": "#cfbb98",
    "sand": "#d3bd95",
    "cream": "#e9dcb9",
    "ivory": "#e8e0c9",
    "oat": "#e2d8c4",
    "rainbow": "#d9635b",
    "red": "#c4473f",
    "yellow": "#e8c341",
    "black": "#3a3a3d",
    "white": "#e9e7e2",
}
BACKGROUNDS = {
    "Kitchen": "#f3ece1",
    "Audio": "#e5eaf0",
    "Lighting": "#39424f",
    "Bedding": "#ece8f1",
    "Sport": "#e4efe6",
    "Beauty": "#f7e9e8",
    "Toys": "#fdf1d3",
    "Pets": "#e6f0f2",
}

# Drawn on 640 x 640. {c} is the product's tone, {d} a darker and {l} a lighter one, {w} a warm glow.
SHAPES = {
    "Kettles": """<path d="M440 300q110 0 110 90q0 60-70 60" fill="none" stroke="{d}" stroke-width="24"/>
<path d="M205 430Q110 400 95 250" fill="none" stroke="{c}" stroke-width="26" stroke-linecap="round"/>
<path d="M215 260h210l45 240q4 30-26 30H196q-30 0-26-30z" fill="{c}"/>
<path d="M235 300h40l-25 190h-45z" fill="{l}" opacity=".5"/>
<rect x="205" y="236" width="230" height="28" rx="14" fill="{d}"/><circle cx="320" cy="214" r="22" fill="{d}"/>""",
    "Pans": """<rect x="400" y="300" width="200" height="36" rx="18" fill="{d}" transform="rotate(-20 400 318)"/>
<circle cx="260" cy="350" r="180" fill="{d}"/><circle cx="260" cy="350" r="158" fill="{c}"/>
<path d="M150 330a120 120 0 0 1 110-100" fill="none" stroke="{l}" stroke-width="16" stroke-linecap="round"/>""",
    "Mugs": """<path d="M410 280h50q70 0 70 70t-70 70h-60" fill="none" stroke="{d}" stroke-width="34"/>
<path d="M170 210h260v220q0 80-80 80H250q-80 0-80-80z" fill="{c}"/>
<ellipse cx="300" cy="210" rx="130" ry="30" fill="{d}"/>
<path d="M205 260v160" stroke="{l}" stroke-width="20" stroke-linecap="round"/>""",
    "Bottles": """<rect x="265" y="80" width="110" height="80" rx="18" fill="{d}"/>
<path d="M255 165h130q55 40 55 110v230q0 55-55 55H255q-55 0-55-55V275q0-70 55-110z" fill="{c}"/>
<rect x="232" y="280" width="24" height="210" rx="12" fill="{l}" opacity=".7"/>
<rect x="200" y="400" width="240" height="14" fill="{d}" opacity=".5"/>""",
    "Boards": """<rect x="110" y="170" width="420" height="300" rx="34" fill="{d}"/>
<rect x="110" y="156" width="420" height="300" rx="34" fill="{c}"/>
<path d="M150 226h340M150 286h340M150 346h340M150 406h240" stroke="{d}" stroke-width="5" opacity=".6"/>
<circle cx="480" cy="410" r="20" fill="{d}"/>""",
    "Headphones": """<path d="M150 380v-60a170 170 0 0 1 340 0v60" fill="none" stroke="{d}" stroke-width="34"/>
<rect x="105" y="340" width="95" height="170" rx="44" fill="{c}"/>
<rect x="440" y="340" width="95" height="170" rx="44" fill="{c}"/>
<rect x="180" y="355" width="34" height="140" rx="17" fill="{l}"/>
<rect x="426" y="355" width="34" height="140" rx="17" fill="{l}"/>""",
    "Earbuds": """<rect x="150" y="330" width="340" height="190" rx="90" fill="{c}"/>
<path d="M150 410h340" stroke="{d}" stroke-width="8"/>
<circle cx="320" cy="455" r="10" fill="{l}"/><g fill="{d}"><circle cx="240" cy="190" r="52"/>
<rect x="222" y="200" width="32" height="110" rx="16"/>
<circle cx="400" cy="190" r="52"/><rect x="386" y="200" width="32" height="110" rx="16"/></g>""",
    "Speakers": """<rect x="180" y="90" width="280" height="460" rx="36" fill="{c}"/>
<circle cx="320" cy="390" r="104" fill="{d}"/>
<circle cx="320" cy="390" r="66" fill="{l}" opacity=".6"/><circle cx="320" cy="390" r="26" fill="{d}"/>
<circle cx="320" cy="195" r="56" fill="{d}"/>
<circle cx="320" cy="195" r="20" fill="{l}"/>""",
    "Radios": """<path d="M420 200l90-120" stroke="{d}" stroke-width="10" stroke-linecap="round"/>
<rect x="95" y="200" width="450" height="290" rx="48" fill="{c}"/>
<circle cx="235" cy="345" r="96" fill="{d}"/>
<path d="M175 315h120M165 345h140M175 375h120" stroke="{l}" stroke-width="9"/>
<rect x="370" y="260" width="130" height="64" rx="12" fill="{l}"/><circle cx="395" cy="400" r="28" fill="{d}"/>
<circle cx="475" cy="400" r="28" fill="{d}"/>""",
    "Turntables": """<rect x="80" y="190" width="480" height="330" rx="26" fill="{c}"/>
<circle cx="270" cy="355" r="142" fill="#26272b"/>
<circle cx="270" cy="355" r="104" fill="none" stroke="#4a4c52" stroke-width="4"/>
<circle cx="270" cy="355" r="46" fill="{l}"/><circle cx="270" cy="355" r="8" fill="#26272b"/>
<path d="M490 240v160l-120 60" fill="none" stroke="#e9e7e2" stroke-width="14" stroke-linejoin="round"/>
<circle cx="490" cy="240" r="26" fill="{d}"/>""",
    "Desk lamps": """<path d="M120 500l130-290 190-70" fill="none" stroke="{d}" stroke-width="20"
stroke-linejoin="round"/><path d="M395 190l170 330H250z" fill="{w}" opacity=".25"/>
<path d="M350 180l110-60 60 110-180 30z" fill="{c}"/>
<rect x="60" y="500" width="180" height="34" rx="17" fill="{c}"/>""",
    "Floor lamps": """<path d="M190 280L90 560h420L410 280z" fill="{w}" opacity=".18"/>
<path d="M300 250v290" stroke="{l}" stroke-width="16"/>
<path d="M240 90h120l80 190H160z" fill="{c}"/><path d="M240 90h40l-60 190h-60z" fill="{l}" opacity=".4"/>
<rect x="210" y="536" width="180" height="30" rx="15" fill="#d9d7d2"/>""",
    "Night lights": """<circle cx="320" cy="340" r="240" fill="{w}" opacity=".16"/>
<path d="M320 150c120 0 190 90 190 220 0 90-80 130-190 130s-190-40-190-130c0-130 70-220 190-220z" fill="{c}"/>
<path d="M190 200l30-90 70 60zM450 200l-30-90-70 60z" fill="{c}"/><circle cx="260" cy="340" r="14" fill="{d}"/>
<circle cx="380" cy="340" r="14" fill="{d}"/>
<path d="M290 390q30 28 60 0" fill="none" stroke="{d}" stroke-width="10" stroke-linecap="round"/>""",
    "Lanterns": """<path d="M240 150a80 80 0 0 1 160 0" fill="none" stroke="{l}" stroke-width="14"/>
<rect x="220" y="150" width="200" height="60" rx="20" fill="{c}"/>
<rect x="240" y="210" width="160" height="210" rx="20" fill="{w}" opacity=".85"/>
<path d="M270 210v210M370 210v210" stroke="{d}" stroke-width="10"/>
<rect x="200" y="420" width="240" height="110" rx="26" fill="{c}"/>""",
    "Pendants": """<path d="M320 0v180" stroke="{d}" stroke-width="8"/>
<circle cx="320" cy="350" r="230" fill="{w}" opacity=".16"/><circle cx="320" cy="350" r="172" fill="{c}"/>
<g fill="none" stroke="{d}" stroke-width="4" opacity=".6"><ellipse cx="320" cy="350" rx="172" ry="40"/>
<ellipse cx="320" cy="270" rx="150" ry="32"/><ellipse cx="320" cy="430" rx="150" ry="32"/></g>""",
    "Duvets": """<rect x="90" y="370" width="460" height="130" rx="60" fill="{d}"/>
<rect x="90" y="260" width="460" height="140" rx="64" fill="{c}"/>
<rect x="110" y="160" width="420" height="130" rx="60" fill="{l}"/>
<path d="M220 170q-16 55 0 110M320 165q-16 60 0 120M420 170q-16 55 0 110" fill="none" stroke="{d}" stroke-width="5"
opacity=".6"/>""",
    "Sheets": """<path d="M100 390h440v90q0 30-30 30H130q-30 0-30-30z" fill="{d}"/>
<rect x="100" y="300" width="440" height="100" rx="20" fill="{c}"/>
<rect x="120" y="215" width="400" height="95" rx="20" fill="{l}"/>
<rect x="150" y="140" width="340" height="85" rx="20" fill="{c}"/>
<path d="M295 130h50v380h-50z" fill="#ffffff" opacity=".55"/>""",
    "Pillows": """<path d="M110 210q210-50 420 0 40 10 26 60-20 80 0 160 12 50-26 60-210 46-420 0-40-10-26-60 20-80
0-160-12-50 26-60z" fill="{c}"/>
<path d="M150 250q40 40 30 90M490 250q-40 40-30 90M250 420q70 30 150 0" fill="none" stroke="{d}" stroke-width="9"
stroke-linecap="round"/>""",
    "Blankets": """<path d="M120 150h400v300l-60 70H120z" fill="{c}"/><path d="M460 520v-70h60z" fill="{d}"/>
<path d="M120 210l50 40 50-40 50 40 50-40 50 40 50-40 50 40 50-40M120 300l50 40 50-40 50 40 50-40 50 40 50-40 50 40
50-40M120 390l50 40 50-40 50 40 50-40 50 40 50-40 50 40 50-40" fill="none" stroke="{l}" stroke-width="9" opacity=".7"/>
<path d="M140 520v40M190 520v40M240 520v40M290 520v40M340 520v40M390 520v40" stroke="{d}" stroke-width="7"/>""",
    "Yoga": """<path d="M150 420h400v90H150z" fill="{c}"/><circle cx="170" cy="390" r="120" fill="{d}"/>
<circle cx="170" cy="390" r="92" fill="{c}"/><circle cx="170" cy="390" r="62" fill="{d}"/>
<circle cx="170" cy="390" r="34" fill="{l}"/>""",
    "Dumbbells": """<rect x="200" y="298" width="240" height="44" rx="16" fill="{l}"/>
<path d="M100 240l50-30h50l30 30v160l-30 30h-50l-50-30z" fill="{c}"/>
<path d="M410 240l30-30h50l50 30v160l-50 30h-50l-30-30z" fill="{c}"/>
<path d="M150 210v220M490 210v220" stroke="{d}" stroke-width="10"/>""",
    "Bags": """<path d="M250 150a70 70 0 0 1 140 0" fill="none" stroke="{d}" stroke-width="20"/>
<rect x="150" y="150" width="340" height="400" rx="90" fill="{c}"/>
<rect x="195" y="350" width="250" height="160" rx="34" fill="{d}"/>
<path d="M195 400h250" stroke="{l}" stroke-width="9"/><path d="M180 260h280" stroke="{d}" stroke-width="12"/>""",
    "Tents": """<path d="M320 130L60 520h520z" fill="{c}"/><path d="M320 130L230 520h180z" fill="{d}"/>
<path d="M320 130v390" stroke="{l}" stroke-width="8"/>
<path d="M320 130l-20-30M320 130l20-30M30 540h580" stroke="{d}" stroke-width="10"/>""",
    "Jump ropes": """<path d="M170 250C60 620 580 620 470 250" fill="none" stroke="{d}" stroke-width="12"/>
<rect x="140" y="110" width="60" height="160" rx="28" fill="{c}"/>
<rect x="440" y="110" width="60" height="160" rx="28" fill="{c}"/>
<rect x="452" y="150" width="36" height="30" rx="6" fill="{l}"/>""",
    "Skin care": """<rect x="170" y="200" width="300" height="80" rx="20" fill="{d}"/>
<path d="M150 280h340v180q0 60-60 60H210q-60 0-60-60z" fill="{c}"/>
<rect x="220" y="350" width="200" height="90" rx="12" fill="{l}"/>
<path d="M250 385h140M270 410h100" stroke="{d}" stroke-width="7"/>""",
    "Sun care": """<circle cx="480" cy="160" r="60" fill="{w}"/><path d="M220 120h160l40 380H180z" fill="{c}"/>
<rect x="220" y="500" width="160" height="60" rx="12" fill="{d}"/>
<rect x="205" y="100" width="190" height="26" rx="8" fill="{d}"/><circle cx="300" cy="300" r="54" fill="{l}"/>""",
    "Hair care": """<rect x="130" y="280" width="380" height="190" rx="80" fill="{c}"/>
<rect x="200" y="330" width="240" height="90" rx="40" fill="{l}" opacity=".6"/><g fill="#ffffff" opacity=".8">
<circle cx="200" cy="220" r="44"/><circle cx="290" cy="190" r="30"/><circle cx="430" cy="225" r="38"/>
<circle cx="365" cy="170" r="20"/></g>""",
    "Tools": """<path d="M320 300v230" stroke="{d}" stroke-width="26" stroke-linecap="round"/>
<path d="M210 220v70h220v-70" fill="none" stroke="{d}" stroke-width="12"/>
<rect x="220" y="130" width="200" height="110" rx="52" fill="{c}"/>
<rect x="250" y="155" width="110" height="18" rx="9" fill="{l}"/>
<ellipse cx="320" cy="540" rx="46" ry="26" fill="{c}"/>""",
    "Dental care": """<rect x="275" y="250" width="90" height="310" rx="44" fill="{c}"/>
<path d="M320 250V120" stroke="{l}" stroke-width="30"/>
<rect x="290" y="70" width="56" height="90" rx="20" fill="{l}"/>
<rect x="340" y="80" width="40" height="70" rx="8" fill="{d}"/><circle cx="320" cy="330" r="18" fill="{d}"/>""",
    "Building blocks": """<rect x="110" y="380" width="150" height="150" rx="14" fill="{c}"/>
<rect x="270" y="380" width="150" height="150" rx="14" fill="#e8c341"/>
<rect x="430" y="380" width="110" height="150" rx="14" fill="#5b9bc8"/>
<rect x="190" y="220" width="150" height="150" rx="14" fill="#7fb069"/>
<path d="M350 370a75 75 0 0 1 150 0z" fill="#e5863a"/><path d="M190 210l75-120 75 120z" fill="{d}"/>""",
    "Puzzles": """<path d="M120 160h180c-20-60 80-60 60 0h160v170c60-20 60 80 0 60v130H360c20-60-80-60-60 0H120V380c60
20 60-80 0-60z" fill="{c}"/><path d="M320 160v90c50-16 50 70 0 54v70c-60 0-60 20-60 140M120 330h200" fill="none"
stroke="{d}" stroke-width="8" opacity=".55"/>""",
    "Soft toys": """<circle cx="225" cy="175" r="44" fill="{d}"/><circle cx="415" cy="175" r="44" fill="{d}"/>
<ellipse cx="320" cy="440" rx="140" ry="130" fill="{c}"/><ellipse cx="320" cy="460" rx="84" ry="88" fill="{l}"/>
<circle cx="320" cy="245" r="130" fill="{c}"/><ellipse cx="320" cy="285" rx="66" ry="48" fill="{l}"/>
<circle cx="270" cy="225" r="13" fill="#26272b"/><circle cx="370" cy="225" r="13" fill="#26272b"/>
<ellipse cx="320" cy="268" rx="20" ry="14" fill="#26272b"/>""",
    "Games": """<path d="M320 110l230 130v230L320 600 90 470V240z" fill="{d}"/>
<path d="M320 110l230 130-230 130L90 240z" fill="{c}"/><path d="M320 370v230" stroke="{l}" stroke-width="6"/>
<g fill="#ffffff"><circle cx="320" cy="240" r="20"/><circle cx="170" cy="360" r="17"/>
<circle cx="240" cy="480" r="17"/><circle cx="400" cy="480" r="17"/><circle cx="470" cy="420" r="17"/>
<circle cx="435" cy="370" r="17"/></g>""",
    "Science": """<path d="M430 500a160 160 0 0 0-20-280" fill="none" stroke="{d}" stroke-width="34"/>
<rect x="160" y="500" width="340" height="44" rx="22" fill="{d}"/>
<rect x="180" y="410" width="190" height="26" rx="13" fill="{l}"/>
<rect x="270" y="110" width="90" height="240" rx="26" fill="{c}" transform="rotate(24 320 230)"/>
<rect x="290" y="80" width="100" height="40" rx="12" fill="{d}" transform="rotate(24 320 230)"/>""",
    "Dog leads": """<path d="M160 180q-80 120 60 180t180 20q100-40 60 90" fill="none" stroke="{c}" stroke-width="28"
stroke-linecap="round"/><path d="M160 180q-80 120 60 180t180 20q100-40 60 90" fill="none" stroke="{l}" stroke-width="6"
stroke-dasharray="14 18"/><ellipse cx="220" cy="150" rx="84" ry="56" fill="none" stroke="{d}" stroke-width="26"/>
<circle cx="455" cy="510" r="32" fill="none" stroke="#c9a24b" stroke-width="16"/>""",
    "Beds": """<ellipse cx="320" cy="420" rx="240" ry="130" fill="{d}"/>
<ellipse cx="320" cy="380" rx="240" ry="120" fill="{c}"/><ellipse cx="320" cy="372" rx="172" ry="76" fill="{l}"/>
<g fill="{d}" opacity=".7"><ellipse cx="320" cy="385" rx="30" ry="22"/><circle cx="280" cy="350" r="12"/>
<circle cx="308" cy="338" r="12"/><circle cx="336" cy="338" r="12"/><circle cx="362" cy="350" r="12"/></g>""",
    "Feeders": """<path d="M220 100h200l30 300H190z" fill="{c}"/>
<rect x="210" y="80" width="220" height="40" rx="20" fill="{d}"/>
<rect x="255" y="170" width="130" height="110" rx="20" fill="{l}"/><g fill="#a9713f">
<circle cx="290" cy="240" r="13"/><circle cx="320" cy="250" r="13"/><circle cx="350" cy="240" r="13"/>
<circle cx="305" cy="262" r="13"/><circle cx="335" cy="264" r="13"/></g>
<path d="M150 420h340l-40 110H190z" fill="{d}"/>""",
    "Cat toys": """<path d="M130 540L420 170" stroke="#b98d5e" stroke-width="18" stroke-linecap="round"/>
<path d="M420 170q90 30 80 140" fill="none" stroke="{d}" stroke-width="6"/><g fill="{c}">
<ellipse cx="470" cy="390" rx="26" ry="90" transform="rotate(20 470 390)"/>
<ellipse cx="535" cy="390" rx="26" ry="90" transform="rotate(-20 535 390)"/></g>
<ellipse cx="502" cy="405" rx="24" ry="96" fill="{l}"/>""",
    "Scratching posts": """<rect x="140" y="520" width="360" height="44" rx="14" fill="{d}"/>
<rect x="265" y="180" width="110" height="340" fill="{c}"/>
<path d="M265 220l110-20M265 265l110-20M265 310l110-20M265 355l110-20M265 400l110-20M265 445l110-20M265 490l110-20"
stroke="{d}" stroke-width="8"/><rect x="200" y="130" width="240" height="54" rx="24" fill="{l}"/>""",
    "Fountains": """<path d="M320 130q-60 80 0 120q60-40 0-120z" fill="#7cbfe0"/>
<ellipse cx="320" cy="300" rx="140" ry="36" fill="{l}"/><path d="M180 300h280l-30 90H210z" fill="{c}"/>
<ellipse cx="320" cy="430" rx="210" ry="52" fill="#7cbfe0"/>
<path d="M110 430h420q0 120-120 120H230q-120 0-120-120z" fill="{c}"/>
<path d="M150 470q20 50 80 56" fill="none" stroke="{l}" stroke-width="12" stroke-linecap="round"/>""",
}
PARCEL = """<path d="M120 220l200-90 200 90v230l-200 100-200-100z" fill="{c}"/>
<path d="M120 220l200 90 200-90M320 310v240" fill="none" stroke="{d}" stroke-width="10"/>
<path d="M220 175l200 90v80" fill="none" stroke="{l}" stroke-width="24"/>"""


def draw(*, title: str, category: str, colour: str) -> str:
    """Return an SVG (640 x 640) of a product.

    `category` is a path such as `Kitchen > Mugs`; an unknown kind is a parcel.
    """
    shop, _, kind = (part.strip() for part in category.partition(">"))
    tone = next((tone for word, tone in TONES.items() if word in colour.lower()), "#8a8f98")
    background = BACKGROUNDS.get(shop, "#eceef0")
    shape = SHAPES.get(kind, PARCEL).format(c=tone, d=_shade(tone, 0.72), l=_shade(tone, 1.3), w="#ffe9a8")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 640" role="img">'
        f"<title>{escape(title)}</title>"
        f'<rect width="640" height="640" fill="{background}"/>'
        f'<circle cx="320" cy="320" r="288" fill="{_shade(background, 0.95 if shop != "Lighting" else 1.15)}"/>'
        f'<ellipse cx="320" cy="572" rx="210" ry="20" fill="#000000" opacity=".08"/>'
        f'<g transform="translate(58 54) scale(.82)">{shape}</g></svg>\n'
    )


def save(path: Path, svg: str) -> None:
    """Write a picture, unless it is there already, word for word."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != svg:
        path.write_text(svg, encoding="utf-8")


def _shade(tone: str, factor: float) -> str:
    red, green, blue = (int(part, 16) / 255 for part in re.findall("..", tone[1:]))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    shaded = colorsys.hls_to_rgb(hue, min(0.94, light * factor), saturation)
    return "#" + "".join(f"{round(part * 255):02x}" for part in shaded)
