//! What to do now, whatever the model answered: the warning signs after which to see a doctor.
//!
//! The signs are those that dermatologists teach the public: the ABCDE rule
//! ([Abbasi et al. 2004](https://doi.org/10.1001/jama.292.22.2771)), the "ugly duckling"
//! ([Grob and Bonerandi 1998](https://doi.org/10.1001/archderm.134.1.103-a)), and the advice of the American Academy of
//! Dermatology and the British National Health Service.

use leptos::prelude::*;

/// Signs of a spot that a doctor should see, each with its meaning.
const SIGNS: [(&str, &str); 7] = [
    ("Asymmetry", "one half does not look like the other"),
    ("Border", "the edge is ragged, notched or blurred"),
    ("Color", "it has several colors, or the color is uneven"),
    ("Diameter", "it is larger than 6 mm, about the end of a pencil; a new dangerous spot can be smaller"),
    ("Evolving", "it changes in size, shape or color over weeks or months"),
    ("Ugly duckling", "it looks unlike all your other spots"),
    (
        "Other signs",
        "it bleeds, itches, hurts, crusts, does not heal within four weeks, or is a dark streak under a nail",
    ),
];

/// Signs of an emergency.
const URGENT: [&str; 4] = [
    "a rash with fever, or while you feel very ill",
    "purple spots that do not fade when you press a glass on them",
    "blisters or peeling over much of the body, or sores in the mouth or the eyes",
    "a swollen face, or trouble breathing",
];

/// The card. It depends on no answer.
#[component]
pub fn Advice() -> impl IntoView {
    view! {
        <section class="card advice" aria-labelledby="advice-title" data-testid="advice">
            <h2 id="advice-title">"What to do now"</h2>
            <p>
                <strong>"Whatever the list says, show a spot to a doctor soon if one of these is true:"</strong>
            </p>
            <ul>
                {SIGNS.map(|(sign, meaning)| view! { <li><strong>{sign}</strong>": "{meaning}"."</li> }).collect_view()}
            </ul>
            <p><strong>"Get help at once, by the emergency number, for:"</strong></p>
            <ul>{URGENT.map(|sign| view! { <li>{sign}"."</li> }).collect_view()}</ul>
            <p>
                "None of these? A harmless label is still no all-clear. Look at the spot again in a month, and show it \
                 to a doctor if it changes or still worries you."
            </p>
            <p class="hint">
                "Sources: the ABCDE rule (Abbasi et al., JAMA 2004), the \u{201c}ugly duckling\u{201d} sign (Grob and \
                 Bonerandi, Arch Dermatol 1998), and the public advice of the American Academy of Dermatology and the \
                 NHS. On dark skin, look at palms, soles and nails, too."
            </p>
        </section>
    }
}
