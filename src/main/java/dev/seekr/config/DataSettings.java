package dev.seekr.config;

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
        TooLong tooLong) {
  /** The same with the tasks elsewhere. */
  DataSettings at(String folder) {
    return new DataSettings(
        folder,
        tasks,
        order,
        maxPrompt,
        maxAnswer,
        bos,
        lossOn,
        trainLimit,
        testLimit,
        badRecords,
        format,
        fields,
        instruction,
        tooLong);
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

  /** What becomes of a record without a prompt or an answer. */
  public enum BadRecords {
    fail,
    skip
  }
}
