package dev.seekr.config;

import java.nio.file.Path;
import java.util.List;

/** General ability: which benchmarks a model is asked, and when in a run. */
public record GeneralSettings(
    @Setting(
            is = "null",
            limit = Limit.TEXT,
            means = "folder that contains the benchmarks' folders")
        String root,
    @Setting(
            is = "[mmlu, gsm8k, bbh, tydiqa, boolq, piqa]",
            limit = Limit.NAMES,
            means = "benchmarks to run; a missing one is left blank")
        List<Benchmark> sets,
    @Setting(
            is = "0",
            limit = Limit.AT_LEAST_0,
            means = "maximum questions per subject, task or language; 0: all")
        int limit,
    @Setting(
            is = "0",
            limit = Limit.AT_LEAST_0,
            means =
                "maximum questions per benchmark, evenly from its subjects, tasks or languages; 0: all")
        int questions,
    @Setting(
            is = "never",
            means =
                "never; ends: before the first task and after the last; stages: before the first and after each")
        When when,
    @Setting(
            is = "0",
            limit = Limit.AT_LEAST_0,
            means = "maximum tokens per answer; 0: the benchmark's limit")
        int maxNewTokens,
    @Setting(is = "32", limit = Limit.AT_LEAST_1, means = "answers per generation batch") int batch,
    @Setting(is = "2048", limit = Limit.TOKENS, means = "tokens per forward pass over choices")
        int tokens) {

  /** A benchmark, and its folder; it is asked unless it is left out of the default above. */
  public enum Benchmark {
    mmlu,
    gsm8k,
    bbh,
    tydiqa,
    boolq,
    piqa
  }

  /** When a run asks. */
  public enum When {
    never,
    ends,
    stages
  }

  /** Whether a run asks after a stage, from 0, of {@code stages}. */
  public boolean after(int stage, int stages) {
    return when == When.stages || when == When.ends && stage == stages - 1;
  }

  /** The same with a relative folder taken from another one. */
  GeneralSettings from(Path folder) {
    String there = root == null ? null : folder.resolve(root).toString();
    return new GeneralSettings(there, sets, limit, questions, when, maxNewTokens, batch, tokens);
  }
}
