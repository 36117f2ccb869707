package dev.seekr.config;

/** Progressive prompts (Razdaibiedina et al. 2023). */
public record PpSettings(
    @Setting(
            is = "800",
            limit = Limit.AT_LEAST_0,
            means =
                "width of the residual network that a prompt comes from while it is trained; 0: none")
        int hidden,
    @Setting(
            is = "false",
            means =
                "answer a test prompt with the prompts its own task was learnt with, as if the task were known; else with all")
        boolean byTask) {}
