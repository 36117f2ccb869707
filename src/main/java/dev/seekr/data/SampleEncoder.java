package dev.seekr.data;

import dev.seekr.Failure;
import dev.seekr.config.DataSettings;
import dev.seekr.tokenizer.Tokenizer;
import java.util.Arrays;

/**
 * Turns text into sequences: BOS + prompt + answer + EOS, cut to the lengths that are kept. Prompt
 * and answer are tokenised apart, so that a generated answer follows the very tokens that were
 * trained on; or, where the settings say so, as one text, as the authors' code does.
 */
public final class SampleEncoder {
  private final Tokenizer tokenizer;
  private final DataSettings data;
  private final int bos;
  private final int eos;

  /**
   * A sequence, and what of its text is not in it.
   *
   * @param promptCut whether the beginning of the prompt is missing
   * @param answerCut whether the end of the answer is, or EOS
   */
  public record Cut(Sample sample, boolean promptCut, boolean answerCut) {
    public boolean any() {
      return promptCut || answerCut;
    }
  }

  /**
   * @param bos the model's BOS id; not used when {@code data.bos} is off
   * @param eos the model's EOS id
   */
  public SampleEncoder(Tokenizer tokenizer, DataSettings data, int bos, int eos) {
    this.tokenizer = tokenizer;
    this.data = data;
    this.bos = bos;
    this.eos = eos;
  }

  /**
   * A training sequence. Apart: the prompt as in {@link #prompt}, then the answer and EOS, or the
   * first maxAnswer tokens of them: a cut answer does not end. Joint: the last maxPrompt +
   * maxAnswer tokens of both, with EOS and then BOS where there is room for them; targets are as
   * many tokens at its end as the answer has of its own.
   *
   * @throws Failure data, with the example's place, when nothing is left of the answer, or nothing
   *     precedes it
   */
  public Cut encode(Example example) {
    return joint() ? together(example) : apart(example);
  }

  private boolean joint() {
    return data.tokenize() == DataSettings.Tokenize.joint;
  }

  private Cut together(Example example) {
    int room = data.maxPrompt() + data.maxAnswer();
    int own = Math.min(tokenizer.encode(example.answer()).length, room);
    if (own < room) own++; // EOS
    int[] text = tokenizer.encode(example.prompt() + example.answer());
    int kept = Math.min(text.length, room);
    int end = kept < room ? 1 : 0, lead = data.bos() && kept + end < room ? 1 : 0;
    int[] tokens = new int[lead + kept + end];
    if (tokens.length < 2)
      throw Failure.data(
          "%s: expected two tokens at least, found %d", example.where(), tokens.length);
    if (lead > 0) tokens[0] = bos;
    System.arraycopy(text, text.length - kept, tokens, lead, kept);
    if (end > 0) tokens[tokens.length - 1] = eos;
    // Nothing predicts a first token, which answers as long as all there is room for begin with.
    int start = data.lossOn() == DataSettings.LossOn.all ? 1 : Math.max(1, tokens.length - own);
    return new Cut(new Sample(tokens, start), text.length > kept, end == 0);
  }

  private Cut apart(Example example) {
    int[] prompt = prompt(example);
    int[] answer = tokenizer.encode(example.answer());
    if (answer.length == 0) {
      throw Failure.data(
          "%s: expected an answer of at least one token, found none", example.where());
    }
    if (data.maxAnswer() < 1) {
      throw Failure.data(
          "%s: data.max_answer %d leaves nothing of the answer; expected at least 1",
          example.where(), data.maxAnswer());
    }
    boolean cut = answer.length >= data.maxAnswer();
    int kept = cut ? data.maxAnswer() : answer.length + 1;
    int[] tokens = Arrays.copyOf(prompt, prompt.length + kept);
    System.arraycopy(answer, 0, tokens, prompt.length, cut ? kept : answer.length);
    if (!cut) tokens[tokens.length - 1] = eos;
    int start = data.lossOn() == DataSettings.LossOn.all ? 1 : prompt.length;
    return new Cut(new Sample(tokens, start), promptIsCut(example), cut);
  }

  /** Whether the beginning of a prompt that is to be answered is left out. */
  public boolean promptIsCut(Example example) {
    int[] text = tokenizer.encode(example.prompt());
    return text.length > room(text.length);
  }

  /** Tokens of a prompt of so many that are kept beside BOS. */
  private int room(int length) {
    return Math.max(0, data.maxPrompt() - lead(length));
  }

  private int lead(int length) {
    return data.bos() && !(joint() && length >= data.maxPrompt()) ? 1 : 0;
  }

  /**
   * What generation starts from: BOS and the last tokens of the prompt, maxPrompt together. BOS
   * stays whatever is cut; joint, as the authors have it, a prompt that is cut has none.
   *
   * @throws Failure data when there is neither BOS nor a token of the prompt
   */
  public int[] prompt(Example example) {
    int[] text = tokenizer.encode(example.prompt());
    int lead = lead(text.length), kept = Math.min(room(text.length), text.length);
    if (lead + kept == 0) {
      throw Failure.data(
          "%s: expected BOS or a prompt of at least one token, found neither", example.where());
    }
    int[] tokens = new int[lead + kept];
    if (lead > 0) tokens[0] = bos;
    System.arraycopy(text, text.length - kept, tokens, lead, kept);
    return tokens;
  }
}
