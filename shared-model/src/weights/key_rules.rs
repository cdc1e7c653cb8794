//! What each library calls the parameters: a table a tower, which with a config reader is all that a family needs.
//!
//! In a rule, `{}` is the number of a block, and a `*` at the end is `weight` or `bias`. A parameter without a
//! rule has our own name, which is open_clip's.

/// Where one parameter is in a file.
pub(super) struct Rule {
    pub ours: &'static str,
    /// Their rows one behind another make ours.
    pub theirs: &'static [Part],
    pub form: Form,
    /// A vector whose values multiply the rows.
    pub scaled_by: Option<&'static str>,
}

/// Rows of one tensor of a file.
pub(super) struct Part {
    /// Empty for rows of zeros that no tensor has.
    pub name: &'static str,
    /// The rows are cut into so many groups of one size ...
    pub groups: usize,
    /// ... of which these are taken.
    pub first: usize,
    pub taken: usize,
}

/// How the shape in the file differs from ours.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Same,
    /// `[out, in]` in the file, `[in, out]` here.
    Transposed,
    /// So many sides of 1 come first.
    Leading(usize),
}

const fn all(name: &'static str) -> Part {
    Part { name, groups: 1, first: 0, taken: 1 }
}

/// Some of the groups of rows that a tensor has.
const fn some(name: &'static str, groups: usize, first: usize, taken: usize) -> Part {
    Part { name, groups, first, taken }
}

const fn same(ours: &'static str, theirs: &'static [Part]) -> Rule {
    Rule { ours, theirs, form: Form::Same, scaled_by: None }
}

const fn transposed(ours: &'static str, theirs: &'static [Part]) -> Rule {
    Rule { ours, theirs, form: Form::Transposed, scaled_by: None }
}

const fn leading(ours: &'static str, sides: usize, theirs: &'static [Part]) -> Rule {
    Rule { ours, theirs, form: Form::Leading(sides), scaled_by: None }
}

/// A layer with a scale behind it (`x + gamma * (W a + b)`) is the layer with its rows scaled.
const fn scaled(ours: &'static str, theirs: &'static [Part], gamma: &'static str) -> Rule {
    Rule { ours, theirs, form: Form::Same, scaled_by: Some(gamma) }
}

/// timm's vision transformers in open_clip's `TimmModel`. Of two rules for one parameter the one whose layer is in the
/// file counts, else the first.
pub(super) const TIMM: &[Rule] = &[
    leading("visual.class_embedding", 2, &[all("visual.trunk.cls_token")]),
    leading("visual.positional_embedding", 1, &[all("visual.trunk.pos_embed")]),
    same("visual.conv1.*", &[all("visual.trunk.patch_embed.proj.*")]),
    same("visual.transformer.resblocks.{}.ln_1.*", &[all("visual.trunk.blocks.{}.norm1.*")]),
    same("visual.transformer.resblocks.{}.attn.in_proj_*", &[all("visual.trunk.blocks.{}.attn.qkv.*")]),
    same("visual.transformer.resblocks.{}.attn.out_proj.*", &[all("visual.trunk.blocks.{}.attn.proj.*")]),
    same("visual.transformer.resblocks.{}.ln_2.*", &[all("visual.trunk.blocks.{}.norm2.*")]),
    same("visual.transformer.resblocks.{}.mlp.c_fc.*", &[all("visual.trunk.blocks.{}.mlp.fc1.*")]),
    same("visual.transformer.resblocks.{}.mlp.c_proj.*", &[all("visual.trunk.blocks.{}.mlp.fc2.*")]),
    same("visual.ln_post.*", &[all("visual.trunk.norm.*")]),
    same("visual.ln_post.*", &[all("visual.trunk.fc_norm.*")]),
    transposed("visual.proj", &[all("visual.head.proj.weight")]),
    transposed("visual.proj", &[all("visual.trunk.head.weight")]),
    same("visual.proj_bias", &[all("visual.head.proj.bias")]),
    same("visual.proj_bias", &[all("visual.trunk.head.bias")]),
    same("visual.proj.c_fc.*", &[all("visual.head.mlp.fc1.*")]),
    same("visual.proj.c_proj.*", &[all("visual.head.mlp.fc2.*")]),
    leading("visual.attn_pool.query", 2, &[all("visual.trunk.attn_pool.latent")]),
    same("visual.attn_pool.attn.q.*", &[all("visual.trunk.attn_pool.q.*")]),
    same("visual.attn_pool.attn.kv.*", &[all("visual.trunk.attn_pool.kv.*")]),
    same("visual.attn_pool.attn.out_proj.*", &[all("visual.trunk.attn_pool.proj.*")]),
    same("visual.attn_pool.ln.*", &[all("visual.trunk.attn_pool.norm.*")]),
    same("visual.attn_pool.mlp.c_fc.*", &[all("visual.trunk.attn_pool.mlp.fc1.*")]),
    same("visual.attn_pool.mlp.c_proj.*", &[all("visual.trunk.attn_pool.mlp.fc2.*")]),
];

/// PanDerm's vision transformer: no bias of the keys, and a scale behind each of a block's two layers.
pub(super) const PANDERM: &[Rule] = &[
    leading("visual.class_embedding", 2, &[all("visual.cls_token")]),
    leading("visual.positional_embedding", 1, &[all("visual.pos_embed")]),
    same("visual.conv1.*", &[all("visual.patch_embed.proj.*")]),
    same("visual.transformer.resblocks.{}.ln_1.*", &[all("visual.blocks.{}.norm1.*")]),
    same("visual.transformer.resblocks.{}.attn.in_proj_weight", &[all("visual.blocks.{}.attn.qkv.weight")]),
    same(
        "visual.transformer.resblocks.{}.attn.in_proj_bias",
        &[all("visual.blocks.{}.attn.q_bias"), all(""), all("visual.blocks.{}.attn.v_bias")],
    ),
    scaled(
        "visual.transformer.resblocks.{}.attn.out_proj.*",
        &[all("visual.blocks.{}.attn.proj.*")],
        "visual.blocks.{}.gamma_1",
    ),
    same("visual.transformer.resblocks.{}.ln_2.*", &[all("visual.blocks.{}.norm2.*")]),
    same("visual.transformer.resblocks.{}.mlp.c_fc.*", &[all("visual.blocks.{}.mlp.fc1.*")]),
    scaled(
        "visual.transformer.resblocks.{}.mlp.c_proj.*",
        &[all("visual.blocks.{}.mlp.fc2.*")],
        "visual.blocks.{}.gamma_2",
    ),
    same("visual.ln_post.*", &[all("visual.norm.*")]),
    transposed("visual.proj", &[all("visual.head.weight")]),
    same("visual.proj_bias", &[all("visual.head.bias")]),
];

/// The vision towers of transformers' `CLIPModel` and `SiglipModel`.
pub(super) const TRANSFORMERS_VISION: &[Rule] = &[
    same("visual.class_embedding", &[all("vision_model.embeddings.class_embedding")]),
    same("visual.positional_embedding", &[all("vision_model.embeddings.position_embedding.weight")]),
    same("visual.conv1.*", &[all("vision_model.embeddings.patch_embedding.*")]),
    same("visual.ln_pre.*", &[all("vision_model.pre_layrnorm.*")]), // their spelling
    same("visual.transformer.resblocks.{}.ln_1.*", &[all("vision_model.encoder.layers.{}.layer_norm1.*")]),
    same(
        "visual.transformer.resblocks.{}.attn.in_proj_*",
        &[
            all("vision_model.encoder.layers.{}.self_attn.q_proj.*"),
            all("vision_model.encoder.layers.{}.self_attn.k_proj.*"),
            all("vision_model.encoder.layers.{}.self_attn.v_proj.*"),
        ],
    ),
    same(
        "visual.transformer.resblocks.{}.attn.out_proj.*",
        &[all("vision_model.encoder.layers.{}.self_attn.out_proj.*")],
    ),
    same("visual.transformer.resblocks.{}.ln_2.*", &[all("vision_model.encoder.layers.{}.layer_norm2.*")]),
    same("visual.transformer.resblocks.{}.mlp.c_fc.*", &[all("vision_model.encoder.layers.{}.mlp.fc1.*")]),
    same("visual.transformer.resblocks.{}.mlp.c_proj.*", &[all("vision_model.encoder.layers.{}.mlp.fc2.*")]),
    same("visual.ln_post.*", &[all("vision_model.post_layernorm.*")]),
    transposed("visual.proj", &[all("visual_projection.weight")]),
    leading("visual.attn_pool.query", 2, &[all("vision_model.head.probe")]),
    same("visual.attn_pool.attn.q.*", &[some("vision_model.head.attention.in_proj_*", 3, 0, 1)]),
    same("visual.attn_pool.attn.kv.*", &[some("vision_model.head.attention.in_proj_*", 3, 1, 2)]),
    same("visual.attn_pool.attn.out_proj.*", &[all("vision_model.head.attention.out_proj.*")]),
    same("visual.attn_pool.ln.*", &[all("vision_model.head.layernorm.*")]),
    same("visual.attn_pool.mlp.c_fc.*", &[all("vision_model.head.mlp.fc1.*")]),
    same("visual.attn_pool.mlp.c_proj.*", &[all("vision_model.head.mlp.fc2.*")]),
];

/// The text towers of transformers' `CLIPModel` and `SiglipModel`.
pub(super) const TRANSFORMERS_TEXT: &[Rule] = &[
    same("token_embedding.weight", &[all("text_model.embeddings.token_embedding.weight")]),
    same("positional_embedding", &[all("text_model.embeddings.position_embedding.weight")]),
    same("transformer.resblocks.{}.ln_1.*", &[all("text_model.encoder.layers.{}.layer_norm1.*")]),
    same(
        "transformer.resblocks.{}.attn.in_proj_*",
        &[
            all("text_model.encoder.layers.{}.self_attn.q_proj.*"),
            all("text_model.encoder.layers.{}.self_attn.k_proj.*"),
            all("text_model.encoder.layers.{}.self_attn.v_proj.*"),
        ],
    ),
    same("transformer.resblocks.{}.attn.out_proj.*", &[all("text_model.encoder.layers.{}.self_attn.out_proj.*")]),
    same("transformer.resblocks.{}.ln_2.*", &[all("text_model.encoder.layers.{}.layer_norm2.*")]),
    same("transformer.resblocks.{}.mlp.c_fc.*", &[all("text_model.encoder.layers.{}.mlp.fc1.*")]),
    same("transformer.resblocks.{}.mlp.c_proj.*", &[all("text_model.encoder.layers.{}.mlp.fc2.*")]),
    same("ln_final.*", &[all("text_model.final_layer_norm.*")]),
    transposed("text_projection", &[all("text_projection.weight")]),
    transposed("text_projection", &[all("text_model.head.weight")]),
    same("text_projection_bias", &[all("text_model.head.bias")]),
];

/// BERT in open_clip's `HFTextEncoder`, without the `text.` before each key.
pub(super) const BERT: &[Rule] = &[
    same("token_embedding.weight", &[all("transformer.embeddings.word_embeddings.weight")]),
    same("positional_embedding", &[all("transformer.embeddings.position_embeddings.weight")]),
    same("token_type_embedding", &[all("transformer.embeddings.token_type_embeddings.weight")]),
    same("ln_pre.*", &[all("transformer.embeddings.LayerNorm.*")]),
    same(
        "transformer.resblocks.{}.attn.in_proj_*",
        &[
            all("transformer.encoder.layer.{}.attention.self.query.*"),
            all("transformer.encoder.layer.{}.attention.self.key.*"),
            all("transformer.encoder.layer.{}.attention.self.value.*"),
        ],
    ),
    same(
        "transformer.resblocks.{}.attn.out_proj.*",
        &[all("transformer.encoder.layer.{}.attention.output.dense.*")],
    ),
    same("transformer.resblocks.{}.ln_1.*", &[all("transformer.encoder.layer.{}.attention.output.LayerNorm.*")]),
    same("transformer.resblocks.{}.mlp.c_fc.*", &[all("transformer.encoder.layer.{}.intermediate.dense.*")]),
    same("transformer.resblocks.{}.mlp.c_proj.*", &[all("transformer.encoder.layer.{}.output.dense.*")]),
    same("transformer.resblocks.{}.ln_2.*", &[all("transformer.encoder.layer.{}.output.LayerNorm.*")]),
    same("pooler.*", &[all("transformer.pooler.dense.*")]),
    transposed("text_projection", &[all("proj.weight")]),
    same("text_projection.c_fc.weight", &[all("proj.0.weight")]),
    same("text_projection.c_proj.weight", &[all("proj.2.weight")]),
];

/// open_clip's own text tower where its projection is a linear layer with a bias.
pub(super) const OPEN_CLIP_TEXT: &[Rule] = &[
    transposed("text_projection", &[all("text_projection.weight")]),
    same("text_projection_bias", &[all("text_projection.bias")]),
];
