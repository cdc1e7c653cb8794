//! Painters of each condition; every painter also records what it drew.

mod acneiform;
mod eczematous;
mod keratinocytic;
mod keratotic;
mod marks;
mod papulosquamous;
mod pigmented;
mod vascular;
mod vesicular;
mod vitiligo;

use super::condition::Condition;
use super::scene::Scene;

/// Draws the lesions of the scene's condition.
pub fn paint(scene: &mut Scene) {
    match scene.case.condition {
        Condition::Nevus => pigmented::nevus(scene),
        Condition::Melanoma => pigmented::melanoma(scene),
        Condition::SeborrheicKeratosis => keratotic::seborrheic_keratosis(scene),
        Condition::ActinicKeratosis => keratotic::actinic_keratosis(scene),
        Condition::BasalCellCarcinoma => keratinocytic::basal_cell_carcinoma(scene),
        Condition::SquamousCellCarcinoma => keratinocytic::squamous_cell_carcinoma(scene),
        Condition::Psoriasis => papulosquamous::psoriasis(scene),
        Condition::Tinea => papulosquamous::tinea(scene),
        Condition::Vitiligo => vitiligo::vitiligo(scene),
        Condition::Acne => acneiform::acne(scene),
        Condition::Zoster => vesicular::zoster(scene),
        Condition::Urticaria => vascular::urticaria(scene),
        Condition::CherryAngioma => vascular::cherry_angioma(scene),
        Condition::AtopicDermatitis => eczematous::atopic_dermatitis(scene),
    }
}
