package dev.seekr.config;

import java.nio.file.Path;
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
        BadRecords badRecords,
    @Setting(
            is = "0",
            limit = Limit.SHARE_OR_COUNT,
            means =
                "training samples of each task kept apart to validate on: a share of them below 1, or so many; 0: none")
        double holdout,
    @Setting(
            is = "holdout",
            means =
                "what is validated on: samples that holdout keeps apart, or those of eval.json, which must not be those of test.json")
        Validation validation,
    @Setting(
            is = "apart",
            means =
                "prompt and answer are tokenised apart, as they are when answers are generated, or as one text, as the authors do")
        Tokenize tokenize,
    @Setting(
            is = "null",
            limit = Limit.TEXT,
            means =
                "folder with a train.json of no task, mixed into every task so that general ability is not lost")
        String general,
    @Setting(
            is = "0.1",
            limit = Limit.BELOW_1,
            means = "share of general samples among them and a task's new ones")
        double generalShare,
    @Setting(
            is = "labels",
            means =
                "what general samples teach: their answers, or what the initial model says of them")
        GeneralLoss generalLoss) {
  /** What general samples teach. */
  public enum GeneralLoss {
    labels,
    kl
  }

  /** How prompt and answer become tokens. */
  public enum Tokenize {
    apart,
    joint
  }

  /** Where samples to validate on come from. */
  public enum Validation {
    holdout,
    eval_json
  }

  /** Whether there are samples to validate on. */
  public boolean validated() {
    return holdout > 0 || validation == Validation.eval_json;
  }

  /** The same with relative paths taken from a folder. */
  DataSettings from(Path folder) {
    return new DataSettings(
        root == null ? null : folder.resolve(root).toString(),
        tasks,
        order,
        maxPrompt,
        maxAnswer,
        bos,
        lossOn,
        trainLimit,
        testLimit,
        badRecords,
        holdout,
        validation,
        tokenize,
        general == null ? null : folder.resolve(general).toString(),
        generalShare,
        generalLoss);
  }

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
