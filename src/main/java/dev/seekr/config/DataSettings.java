package dev.seekr.config;

import java.util.List;

/** What is learnt, and how text becomes sequences. */
public record DataSettings(
    @Setting(
            is = "null",
            limit = Limit.TEXT,
            means = "folder that holds one folder a task, with train.json and test.json")
        String root,
    @Setting(
            is = "null",
            limit = Limit.NAMES,
            means = "task folders in training order; null when order is given")
        List<String> tasks,
    @Setting(
            is = "0",
            limit = Limit.ORDER,
            means = "1 to 4: the paper's task orders (Table 5); 0: data.tasks")
        int order,
    @Setting(
            is = "1024",
            limit = Limit.TOKENS,
            means = "tokens of BOS and prompt kept, cut on the left")
        int maxPrompt,
    @Setting(
            is = "512",
            limit = Limit.TOKENS,
            means = "tokens of answer and EOS kept, cut on the right")
        int maxAnswer,
    @Setting(is = "true", means = "begin every sequence with the model's BOS token") boolean bos,
    @Setting(
            is = "answer",
            means = "which tokens are targets: the answer and EOS, or all but the first")
        LossOn lossOn,
    @Setting(
            is = "0",
            limit = Limit.AT_LEAST_0,
            means = "at most this many training samples a task; 0: all")
        int trainLimit,
    @Setting(
            is = "0",
            limit = Limit.AT_LEAST_0,
            means = "at most this many test samples a task; 0: all")
        int testLimit,
    @Setting(
            is = "fail",
            means = "a record without a prompt or an answer ends the run, or is left out")
        BadRecords badRecords) {
  /** Which tokens are trained on. */
  public enum LossOn {
    answer,
    all
  }

  /** What becomes of a record without a prompt or an answer. */
  public enum BadRecords {
    fail,
    skip
  }
}
