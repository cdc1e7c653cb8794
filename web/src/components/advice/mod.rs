//! What to do now, whatever the model answered: the warning signs after which to see a doctor.
//!
//! The signs are those that dermatologists teach the public: the ABCDE rule
//! ([Abbasi et al. 2004](https://doi.org/10.1001/jama.292.22.2771)), the "ugly duckling"
//! ([Grob and Bonerandi 1998](https://doi.org/10.1001/archderm.134.1.103-a)), and the advice of the American Academy of
//! Dermatology and the British National Health Service.

use crate::app::App;
use crate::texts::{self, Text};
use leptos::prelude::*;

/// Signs of a spot that a doctor should see, each with its meaning.
const SIGNS: [(Text, Text); 7] = [
    (texts::advice_asymmetry, texts::advice_asymmetry_meaning),
    (texts::advice_border, texts::advice_border_meaning),
    (texts::advice_color, texts::advice_color_meaning),
    (texts::advice_diameter, texts::advice_diameter_meaning),
    (texts::advice_evolving, texts::advice_evolving_meaning),
    (texts::advice_ugly_duckling, texts::advice_ugly_duckling_meaning),
    (texts::advice_other, texts::advice_other_meaning),
];

/// Signs of an emergency.
const URGENT: [Text; 4] = [
    texts::advice_urgent_fever,
    texts::advice_urgent_purple,
    texts::advice_urgent_blisters,
    texts::advice_urgent_breathing,
];

/// The card. It depends on no answer.
#[component]
pub fn Advice(app: App) -> impl IntoView {
    let sign = move |(sign, meaning): (Text, Text)| {
        view! { <li><strong>{app.say(sign)}</strong>" "{app.say(meaning)}</li> }
    };
    let urgent = move |sign: Text| view! { <li>{app.say(sign)}</li> };
    view! {
        <section class="card advice" aria-labelledby="advice-title" data-testid="advice">
            <h2 id="advice-title">{app.say(texts::advice)}</h2>
            <p><strong>{app.say(texts::advice_signs)}</strong></p>
            <ul>{SIGNS.map(sign).collect_view()}</ul>
            <p><strong>{app.say(texts::advice_urgent)}</strong></p>
            <ul>{URGENT.map(urgent).collect_view()}</ul>
            <p>{app.say(texts::advice_none)}</p>
            <p class="hint">{app.say(texts::advice_sources)}</p>
        </section>
    }
}
