package dev.seekr.config;

/** Learning to prompt (Wang et al. 2022). */
public record L2pSettings(
    @Setting(is = "10", limit = Limit.AT_LEAST_1, means = "prompts in the pool") int pool,
    @Setting(is = "4", limit = Limit.AT_LEAST_1, means = "prompts chosen for each input") int picks,
    @Setting(
            is = "0.5",
            limit = Limit.AT_LEAST_0,
            means = "weight of the loss that pulls chosen keys towards their queries")
        double lambda,
    @Setting(
            is = "false",
            means = "in training, choose prompts less that earlier tasks chose often")
        boolean penalty) {}
