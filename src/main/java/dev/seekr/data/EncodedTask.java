package dev.seekr.data;

import dev.seekr.Failure;
import dev.seekr.config.DataSettings;
import dev.seekr.config.DataSettings.TooLong;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A task's sequences to train and to validate on, and how its texts fit into the lengths that are
 * kept.
 *
 * @param validation to validate on; empty where nothing is
 * @param leftOut training samples that are too long, and left out
 * @param promptsCut of training samples, those left out with them
 * @param answersCut the same
 * @param testPromptsCut of test samples; those are cut, not left out
 */
public record EncodedTask(
    Task task,
    List<Sample> samples,
    List<Sample> validation,
    int leftOut,
    int promptsCut,
    int answersCut,
    int testPromptsCut) {

  /** Throws Failure (65) where a sample cannot be encoded or, by data.too_long, is too long. */
  public static EncodedTask of(Task task, SampleEncoder encoder, DataSettings data) {
    var samples = new ArrayList<Sample>();
    int prompts = 0, answers = 0;
    for (Example e : task.train()) {
      var cut = encoder.encode(e);
      if (cut.promptCut()) prompts++;
      if (cut.answerCut()) answers++;
      if (cut.any() && data.tooLong() == TooLong.fail) throw tooLong(e, cut.promptCut(), data);
      if (!cut.any() || data.tooLong() == TooLong.cut) samples.add(cut.sample());
    }
    if (samples.isEmpty())
      throw Failure.data(
          "%s: all %d training samples are longer than data.max_prompt %d or data.max_answer %d, and left out by data.too_long",
          task.name(), task.train().size(), data.maxPrompt(), data.maxAnswer());
    var validation = new ArrayList<Sample>();
    for (Example e : task.validation()) {
      var cut = encoder.encode(e);
      if (cut.any() && data.tooLong() == TooLong.fail) throw tooLong(e, cut.promptCut(), data);
      if (!cut.any() || data.tooLong() == TooLong.cut) validation.add(cut.sample());
    }
    int testPrompts = testPromptsCut(task, encoder, data);
    int leftOut = task.train().size() - samples.size();
    return new EncodedTask(
        task,
        List.copyOf(samples),
        List.copyOf(validation),
        leftOut,
        prompts,
        answers,
        testPrompts);
  }

  private static int testPromptsCut(Task task, SampleEncoder encoder, DataSettings data) {
    int cut = 0;
    for (Example e : task.test()) {
      encoder.prompt(e);
      if (!encoder.promptIsCut(e)) continue;
      cut++;
      if (data.tooLong() == TooLong.fail) throw tooLong(e, true, data);
    }
    return cut;
  }

  /**
   * What a user should know before test prompts are answered.
   *
   * @throws Failure data (65) as {@link #of} does
   */
  public static Optional<String> testNote(Task task, SampleEncoder encoder, DataSettings data) {
    return testNote(task, testPromptsCut(task, encoder, data), data);
  }

  private static Optional<String> testNote(Task task, int cut, DataSettings data) {
    if (cut == 0) return Optional.empty();
    return Optional.of(
        "%s: %d of %d test prompts are cut on the left (data.max_prompt %d)"
            .formatted(task.name(), cut, task.test().size(), data.maxPrompt()));
  }

  private static Failure tooLong(Example example, boolean prompt, DataSettings data) {
    return Failure.data(
        "%s: the %s is longer than %s; data.too_long=cut or skip, or more tokens, let it pass",
        example.where(),
        prompt ? "prompt" : "answer",
        prompt ? "data.max_prompt " + data.maxPrompt() : "data.max_answer " + data.maxAnswer());
  }

  /** Tokens of the sequence in the middle by length, the upper of two. */
  public int median() {
    int[] lengths = samples.stream().mapToInt(Sample::length).sorted().toArray();
    return lengths[lengths.length / 2];
  }

  /** Tokens of the longest sequence. */
  public int longest() {
    return samples.stream().mapToInt(Sample::length).max().orElseThrow();
  }

  /** What a user should know before it is trained on; empty where all fits. */
  public List<String> notes(DataSettings data, int positions) {
    var notes = new ArrayList<String>();
    String does =
        data.tooLong() == TooLong.skip ? "are left out" : "are cut, and EOS is not taught";
    int n = task.train().size();
    if (answersCut > 0)
      notes.add(
          "%s: %d of %d answers %s (data.max_answer %d; data.too_long: cut, skip or fail)"
              .formatted(task.name(), answersCut, n, does, data.maxAnswer()));
    does = data.tooLong() == TooLong.skip ? "are left out" : "are cut on the left";
    if (promptsCut > 0)
      notes.add(
          "%s: %d of %d prompts %s (data.max_prompt %d; data.too_long: cut, skip or fail)"
              .formatted(task.name(), promptsCut, n, does, data.maxPrompt()));
    testNote(task, testPromptsCut, data).ifPresent(notes::add);
    if (longest() > positions)
      notes.add(
          "%s: its longest sequence has %d tokens, and the model knows %d positions (max_position_embeddings): what it learns beyond is uncertain"
              .formatted(task.name(), longest(), positions));
    return notes;
  }
}
