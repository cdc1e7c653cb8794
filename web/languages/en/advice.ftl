# What to do now. These texts are medical: change them only with a source, and in all languages.

advice = What to do now
advice-signs = Whatever the list says, show a spot to a doctor soon if one of these is true:
advice-asymmetry = Asymmetry:
advice-asymmetry-meaning = one half does not look like the other.
advice-border = Border:
advice-border-meaning = the edge is ragged, notched or blurred.
advice-color = Color:
advice-color-meaning = it has several colors, or the color is uneven.
advice-diameter = Diameter:
advice-diameter-meaning = it is larger than 6 mm, about the end of a pencil; a new dangerous spot can be smaller.
advice-evolving = Evolving:
advice-evolving-meaning = it changes in size, shape or color over weeks or months.
advice-ugly-duckling = Ugly duckling:
advice-ugly-duckling-meaning = it looks unlike all your other spots.
advice-other = Other signs:
advice-other-meaning = it bleeds, itches, hurts, crusts, does not heal within four weeks, or is a dark streak under a nail.
advice-urgent = Get help at once, by the emergency number, for:
advice-urgent-fever = a rash with fever, or while you feel very ill.
advice-urgent-purple = purple spots that do not fade when you press a glass on them.
advice-urgent-blisters = blisters or peeling over much of the body, or sores in the mouth or the eyes.
advice-urgent-breathing = a swollen face, or trouble breathing.
advice-none = None of these? A harmless label is still no all-clear. Look at the spot again in a month, and show it to a doctor if it changes or still worries you.
advice-sources = Sources: the ABCDE rule (Abbasi et al., JAMA 2004), the “ugly duckling” sign (Grob and Bonerandi, Arch Dermatol 1998), and the public advice of the American Academy of Dermatology and the NHS. On dark skin, look at palms, soles and nails, too.
