package dev.seekr.config;

/** Learning to prompt (Wang et al. 2022). */
public record L2pSettings(
    @Setting(is = "10", limit = Limit.AT_LEAST_1, means = "prompts in the pool") int pool,
    @Setting(is = "4", limit = Limit.AT_LEAST_1, means = "prompts that go before an input")
        int picks,
    @Setting(
            is = "0.5",
            limit = Limit.AT_LEAST_0,
            means = "weight of the loss that draws keys to the queries they were chosen for")
        double lambda,
    @Setting(
            is = "false",
            means = "whether prompts that earlier tasks chose often are chosen less in training")
        boolean penalty) {}
