package dev.seekr.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What is learnt, and how text becomes sequences. */
public record DataSettings(
    @Setting(
            is = "null",
            limit = Limit.TEXT,
            means =
                "folder with one folder per task, each with a training and a test split: train.json and test.json, or .jsonl, .csv, .tsv, .parquet, also .gz, or folders of them")
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
            is = "refuse",
            means =
                "what to do if a task has no folder: refuse the run, or skip the task; train.epochs still counts all tasks")
        Missing missing,
    @Setting(
            is = "1024",
            limit = Limit.TOKENS,
            means = "longest prompt in tokens, with BOS; truncated on the left")
        int maxPrompt,
    @Setting(
            is = "512",
            limit = Limit.TOKENS,
            means = "longest answer in tokens, with EOS; truncated on the right, EOS first")
        int maxAnswer,
    @Setting(is = "true", means = "begin every sequence with the model's BOS token") boolean bos,
    @Setting(is = "answer", means = "target tokens: the answer and EOS, or all but the first")
        LossOn lossOn,
    @Setting(
            unit = "samples of a task",
            is = "0",
            limit = Limit.AT_LEAST_0,
            means = "maximum training samples per task; 0: all")
        int trainLimit,
    @Setting(is = "0", limit = Limit.AT_LEAST_0, means = "maximum test samples per task; 0: all")
        int testLimit,
    @Setting(
            is = "fail",
            means =
                "a record without a prompt or an answer ends the run (fail) or is left out (skip)")
        BadRecords badRecords,
    @Setting(
            is = "0",
            limit = Limit.SHARE_OR_COUNT,
            means =
                "training samples of each task set aside for validation, or for testing if the task has no test split: a share below 1, or a number; 0: none")
        double holdout,
    @Setting(
            is = "holdout",
            means =
                "validation samples: those that holdout sets aside, or those of eval.json, which must differ from test.json")
        Validation validation,
    @Setting(
            is = "apart",
            means =
                "tokenize prompt and answer apart, as in generation, or as one text (joint), as the authors do")
        Tokenize tokenize,
    @Setting(
            is = "null",
            limit = Limit.TEXT,
            means =
                "folder with a train.json of general samples, mixed into every task to preserve general ability")
        String general,
    @Setting(
            unit = "share of samples",
            is = "0.1",
            limit = Limit.BELOW_1,
            means = "share of general samples in the sum of general and new samples")
        double generalShare,
    @Setting(
            is = "labels",
            means =
                "loss on general samples: their answers (labels), or the KL divergence from the initial model (kl)")
        GeneralLoss generalLoss,
    @Setting(
            is = "auto",
            means =
                "format of records: prompt and answer (pairs), Super-NaturalInstructions task files (superni), instruction, input and output (alpaca), conversations of human and gpt (sharegpt), messages of user and assistant (messages); auto: by the fields of each record")
        Format format,
    @Setting(
            is = "{}",
            means =
                "names of prompt and answer, or messages, in other records, as {prompt: question, answer: label}; a.b is field b of a, a + b joins two fields with a line break")
        Map<String, String> fields,
    @Setting(
            is = "definition",
            limit = Limit.TEXT,
            means =
                "superni: text before the input; definition: the task's definition; none: nothing; otherwise this text")
        String instruction,
    @Setting(
            is = "cut",
            means =
                "prompts beyond max_prompt and answers beyond max_answer: cut: truncate, with no EOS after a truncated answer; skip: leave out training samples (test prompts are truncated); fail: end the run")
        TooLong tooLong,
    @Setting(
            is = "none",
            limit = Limit.TEXT,
            means =
                "prompt format: none: as they are; template: the model's chat template; otherwise the template in this file. Only answers are trained on, up to their end token")
        String chat) {
  /** Whether prompts are put by a chat template. */
  public boolean chats() {
    return !chat.equals("none");
  }

  /** The file of the chat template, or null where it is the model's own, or none. */
  public Path chatFile() {
    return chats() && !chat.equals("template") ? Path.of(chat) : null;
  }

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
    return Records.with(
        this,
        "root",
        root == null ? null : folder.resolve(root).toString(),
        "general",
        general == null ? null : folder.resolve(general).toString(),
        "chat",
        chatFile() == null ? chat : folder.resolve(chatFile()).toString());
  }

  /** Which tokens are trained on. */
  public enum LossOn {
    answer,
    all
  }

  /** What a record looks like. */
  public enum Format {
    auto,
    pairs,
    superni,
    alpaca,
    sharegpt,
    messages
  }

  /** What becomes of a sample with more tokens than are kept. */
  public enum TooLong {
    cut,
    skip,
    fail
  }

  /** What becomes of tasks that have no folder. */
  public enum Missing {
    refuse,
    skip
  }

  /** What becomes of a record without a prompt or an answer. */
  public enum BadRecords {
    fail,
    skip
  }
}
