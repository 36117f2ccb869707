package dev.seekr.data;

import dev.seekr.Failure;
import dev.seekr.config.DataSettings;
import dev.seekr.tokenizer.Tokenizer;
import java.util.Arrays;

/**
 * Turns text into sequences: BOS + prompt + answer + EOS. Prompt and answer are tokenised apart, so
 * that a generated answer follows the very tokens that were trained on.
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
   * A training sequence: the prompt as in {@link #prompt}, the first maxAnswer - 1 tokens of the
   * answer, EOS.
   *
   * @throws Failure data, with the example's place, when nothing is left of the answer, or nothing
   *     precedes it
   */
  public Sample encode(Example example) {
    int[] prompt = prompt(example);
    int[] answer = tokenizer.encode(example.answer());
    if (answer.length == 0) {
      throw Failure.data(
          "%s: expected an answer of at least one token, found none", example.where());
    }
    int kept = Math.min(answer.length, data.maxAnswer() - 1);
    if (kept < 1) {
      throw Failure.data(
          "%s: data.max_answer %d leaves nothing of the answer beside EOS; expected at least 2",
          example.where(), data.maxAnswer());
    }
    int[] tokens = Arrays.copyOf(prompt, prompt.length + kept + 1);
    System.arraycopy(answer, 0, tokens, prompt.length, kept);
    tokens[tokens.length - 1] = eos;
    return new Sample(tokens, data.lossOn() == DataSettings.LossOn.all ? 1 : prompt.length);
  }

  /**
   * What generation starts from: BOS and the last tokens of the prompt, maxPrompt together. BOS
   * stays whatever is cut.
   *
   * @throws Failure data when there is neither BOS nor a token of the prompt
   */
  public int[] prompt(Example example) {
    int[] text = tokenizer.encode(example.prompt());
    int lead = data.bos() ? 1 : 0;
    int kept = Math.clamp(data.maxPrompt() - lead, 0, text.length);
    if (lead + kept == 0) {
      throw Failure.data(
          "%s: expected BOS or a prompt of at least one token, found neither", example.where());
    }
    int[] tokens = new int[lead + kept];
    if (data.bos()) tokens[0] = bos;
    System.arraycopy(text, text.length - kept, tokens, lead, kept);
    return tokens;
  }
}
