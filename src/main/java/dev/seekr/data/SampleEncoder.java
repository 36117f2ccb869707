package dev.seekr.data;

import dev.seekr.Failure;
import dev.seekr.config.DataSettings;
import dev.seekr.tokenizer.Tokenizer;
import java.util.Arrays;

/**
 * Turns text into sequences: BOS + prompt + answer + EOS. Prompt and answer are tokenised apart, so
 * that a generated answer follows the very tokens that were trained on; or, where the settings say
 * so, as one text, as the authors' code does.
 */
public final class SampleEncoder {
  private final Tokenizer tokenizer;
  private final DataSettings data;
  private final int bos;
  private final int eos;

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
   * A training sequence. Apart: the prompt as in {@link #prompt}, the first maxAnswer - 1 tokens of
   * the answer, EOS. Joint: the last maxPrompt + maxAnswer tokens of both, with EOS and then BOS
   * where there is room for them; targets are as many tokens at its end as the answer has of its
   * own.
   *
   * @param where names the example in failures, as "train.json: record 3"
   * @throws Failure data when nothing is left of the answer, or nothing precedes it
   */
  public Sample encode(Example example, String where) {
    return joint() ? together(example, where) : apart(example, where);
  }

  private boolean joint() {
    return data.tokenize() == DataSettings.Tokenize.joint;
  }

  private Sample together(Example example, String where) {
    int room = data.maxPrompt() + data.maxAnswer();
    int own = Math.min(tokenizer.encode(example.answer()).length, room);
    if (own < room) own++; // EOS
    int[] text = tokenizer.encode(example.prompt() + example.answer());
    int kept = Math.min(text.length, room);
    int end = kept < room ? 1 : 0, lead = data.bos() && kept + end < room ? 1 : 0;
    int[] tokens = new int[lead + kept + end];
    if (tokens.length < 2)
      throw Failure.data("%s: expected two tokens at least, found %d", where, tokens.length);
    if (lead > 0) tokens[0] = bos;
    System.arraycopy(text, text.length - kept, tokens, lead, kept);
    if (end > 0) tokens[tokens.length - 1] = eos;
    // Nothing predicts a first token, which answers as long as all there is room for begin with.
    int start = data.lossOn() == DataSettings.LossOn.all ? 1 : Math.max(1, tokens.length - own);
    return new Sample(tokens, start);
  }

  private Sample apart(Example example, String where) {
    int[] prompt = prompt(example, where);
    int[] answer = tokenizer.encode(example.answer());
    if (answer.length == 0) {
      throw Failure.data("%s: expected an answer of at least one token, found none", where);
    }
    int kept = Math.min(answer.length, data.maxAnswer() - 1);
    if (kept < 1) {
      throw Failure.data(
          "%s: data.max_answer %d leaves nothing of the answer beside EOS; expected at least 2",
          where, data.maxAnswer());
    }
    int[] tokens = Arrays.copyOf(prompt, prompt.length + kept + 1);
    System.arraycopy(answer, 0, tokens, prompt.length, kept);
    tokens[tokens.length - 1] = eos;
    return new Sample(tokens, data.lossOn() == DataSettings.LossOn.all ? 1 : prompt.length);
  }

  /** The same as {@link #prompt(Example, String)} where no better name is known for the example. */
  public int[] prompt(Example example) {
    return prompt(example, "an example");
  }

  /**
   * What generation starts from: BOS and the last tokens of the prompt, maxPrompt together. BOS
   * stays whatever is cut; joint, as the authors have it, a prompt that is cut has none.
   *
   * @throws Failure data when there is neither BOS nor a token of the prompt
   */
  public int[] prompt(Example example, String where) {
    int[] text = tokenizer.encode(example.prompt());
    int lead = data.bos() && !(joint() && text.length >= data.maxPrompt()) ? 1 : 0;
    int kept = Math.clamp(data.maxPrompt() - lead, 0, text.length);
    if (lead + kept == 0) {
      throw Failure.data(
          "%s: expected BOS or a prompt of at least one token, found neither", where);
    }
    int[] tokens = new int[lead + kept];
    if (lead > 0) tokens[0] = bos;
    System.arraycopy(text, text.length - kept, tokens, lead, kept);
    return tokens;
  }
}
