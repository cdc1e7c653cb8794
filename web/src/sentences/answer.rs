//! What is said of an answer: what computed it, and whether to believe it.

use super::{error, translation};
use crate::language::Catalog;
use crate::state::{ConceptList, Row, duration};
use crate::texts;
use crate::verdict::Verdict;
use crate::worker::protocol::{Computed, Engine};
use shared_model::concepts::Typical;

/// Whether to believe an answer, in a sentence.
pub fn verdict(catalog: &Catalog, verdict: Verdict) -> String {
    match verdict {
        Verdict::NotCalibrated => texts::not_calibrated(catalog),
        Verdict::Likely => texts::likely(catalog),
        Verdict::Unsure => texts::unsure(catalog),
        Verdict::NoneOfThese => texts::none_of_these(catalog),
    }
}

/// A warning beside a label, where there is room for few words.
pub fn remark(catalog: &Catalog, verdict: Verdict) -> Option<String> {
    match verdict {
        Verdict::NotCalibrated | Verdict::Likely => None,
        Verdict::Unsure => Some(texts::unsure_in_short(catalog)),
        Verdict::NoneOfThese => Some(texts::none_of_these_in_short(catalog)),
    }
}

/// What the table says of a photo beside its name and its English label: the label in the visitor's language and a
/// warning, or why it has no answer.
pub fn row_remark(catalog: &Catalog, row: &Row) -> Option<String> {
    if let Some(found) = row.error() {
        return Some(error(catalog, found));
    }
    let name = row.first().and_then(|(label, _)| translation(catalog, label));
    let warning = row.verdict().and_then(|verdict| remark(catalog, verdict));
    let said: Vec<String> = [name, warning].into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// A probability in percent.
pub fn percent(catalog: &Catalog, probability: f32) -> String {
    match probability < 0.0005 {
        true => catalog.decimal("< 0.1 %"),
        false => catalog.decimal(format_args!("{:.1} %", 100.0 * probability)),
    }
}

/// How long an answer took, and what computed it.
pub fn answered(catalog: &Catalog, millis: f64, computed: &Computed) -> String {
    let time = duration(millis);
    let answered = match computed.by {
        Engine::Wasm => texts::answered_here(catalog, &time),
        Engine::Webgpu => texts::answered_on_gpu(catalog, &time),
        Engine::Server => texts::answered_on_server(catalog, &time),
        Engine::Kept => texts::answered_from_kept(catalog, &time),
    };
    let note = computed.note.as_ref().map(|note| texts::answered_gpu_note(catalog, note));
    [Some(answered), note].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Title of a list of findings.
pub fn list_title(catalog: &Catalog, list: ConceptList) -> String {
    match list {
        ConceptList::SkinCon => texts::findings_skincon(catalog),
        ConceptList::SevenPoint => texts::findings_seven_point(catalog),
    }
}

/// What it means that findings are typical of a label, or that there is no list for it.
pub fn typical(catalog: &Catalog, Typical { label, findings }: &Typical) -> String {
    let name = translation(catalog, label).unwrap_or_else(|| label.clone());
    match findings {
        Some(_) => texts::findings_typical_meaning(catalog, &name),
        None => texts::findings_none_typical(catalog, &name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_not_to_believe_have_a_remark() {
        let english = Catalog::english();
        for of in [Verdict::NotCalibrated, Verdict::Likely, Verdict::Unsure, Verdict::NoneOfThese] {
            // The English words are those of the files.
            assert_eq!(remark(&english, of).as_deref(), of.is_warning().then(|| of.name()));
        }
    }

    #[test]
    fn a_small_probability_is_not_shown_as_zero() {
        let english = Catalog::english();
        let shown = [0.987_65, 0.0005, 0.0004, 0.0].map(|probability| percent(&english, probability));
        assert_eq!(shown, ["98.8 %", "0.1 %", "< 0.1 %", "< 0.1 %"]);
    }

    #[test]
    fn the_time_the_engine_and_its_note_are_said() {
        let computed = Computed { by: Engine::Wasm, note: Some("The GPU is not used.".into()) };
        let said = answered(&Catalog::english(), 1234.5, &computed);
        assert_eq!(said, "Answered in 1234 ms on this device. The GPU is not used.");
    }
}
