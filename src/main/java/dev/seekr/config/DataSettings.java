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
                "folder that holds one folder a task, with a training and a test split: train.json and test.json, or .jsonl, .csv, .tsv, .parquet, also .gz, or folders of them")
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
                "tasks that have no folder: the run is refused, or they are skipped; train.epochs is for all tasks even so")
        Missing missing,
    @Setting(
            is = "1024",
            limit = Limit.TOKENS,
            means = "tokens of BOS and prompt kept, cut on the left")
        int maxPrompt,
    @Setting(
            is = "512",
            limit = Limit.TOKENS,
            means = "tokens of answer and EOS kept, cut on the right, EOS first")
        int maxAnswer,
    @Setting(is = "true", means = "begin every sequence with the model's BOS token") boolean bos,
    @Setting(
            is = "answer",
            means = "which tokens are targets: the answer and EOS, or all but the first")
        LossOn lossOn,
    @Setting(
            unit = "samples of a task",
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
                "training samples of each task kept apart to validate on, or to test on where it has no test split: a share of them below 1, or so many; 0: none")
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
            unit = "share of samples",
            is = "0.1",
            limit = Limit.BELOW_1,
            means = "share of general samples among them and a task's new ones")
        double generalShare,
    @Setting(
            is = "labels",
            means =
                "what general samples teach: their answers, or what the initial model says of them")
        GeneralLoss generalLoss,
    @Setting(
            is = "auto",
            means =
                "what records look like: prompt and answer (pairs), Super-NaturalInstructions' task files (superni), instruction, input and output (alpaca), conversations of human and gpt (sharegpt) or messages of user and assistant (messages); auto: by the fields of each")
        Format format,
    @Setting(
            is = "{}",
            means =
                "fields of records that name them otherwise, as {prompt: question, answer: label}, or messages; a.b is field b of a, and a + b both, one below the other")
        Map<String, String> fields,
    @Setting(
            is = "definition",
            limit = Limit.TEXT,
            means =
                "superni: what stands before the input; definition: that of the task; none: nothing; else this text")
        String instruction,
    @Setting(
            is = "cut",
            means =
                "what becomes of prompts beyond max_prompt and answers beyond max_answer: they are cut, and EOS is not taught after a cut; or training samples are left out (test prompts are cut); or the run ends")
        TooLong tooLong,
    @Setting(
            is = "none",
            limit = Limit.TEXT,
            means =
                "how prompts are put to the model: none, as they are; template, by the chat template of its folder; else by the template in this file. Only answers are learnt, up to what ends them")
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
