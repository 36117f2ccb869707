package dev.seekr.config;

/** Soft prompts (Lester et al. 2021), for l2p, pp and lfpt5. */
public record PromptSettings(
    @Setting(unit = "rows", is = "10", limit = Limit.AT_LEAST_1, means = "rows of a prompt")
        int length,
    @Setting(
            is = "null",
            limit = Limit.ABOVE_0,
            means = "learning rate of soft prompts; null: train.lr")
        Double lr) {}
