package dev.seekr.model;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A shape whose sizes do not overflow, with numbers that stay finite up to its last position. */
class LlamaConfigFuzzTest extends FuzzTarget {
  LlamaConfigFuzzTest() {
    super("config.json", Exit.DATA);
  }

  @Override
  protected Object read(Path file) {
    var c = LlamaConfig.read(file.getParent());
    var heads = c.heads();
    for (int size : new int[] {c.V(), c.C(), c.F(), c.L(), c.maxPositions(), heads.qkvWidth()})
      sound(size > 0, "a size of " + size);
    sound(heads.NH() % heads.NKV() == 0, heads.toString());
    sound(c.parameters() > 0, c.parameters() + " parameters");
    sound(c.eps() > 0 && Float.isFinite(c.eps()), "eps " + c.eps());
    sound(c.bos() >= -1 && c.bos() < c.V(), "bos " + c.bos());
    for (int eos : c.eos()) sound(eos >= 0 && eos < c.V(), "eos " + eos);
    float[] freq = c.rope().freq();
    sound(2 * freq.length == heads.HS(), freq.length + " frequencies");
    for (float f : freq)
      sound(f >= 0 && Float.isFinite(f * (c.maxPositions() - 1)), "a frequency of " + f);
    sound(c.rope().scale() > 0 && Float.isFinite(c.rope().scale()), "scale " + c.rope().scale());
    sound(c.forms().size() == c.L(), c.forms().size() + " forms");
    for (var form : c.forms()) sound(form.window() >= 0, form.toString());
    return List.of(c.json(), c.V(), c.C(), c.F(), c.L(), heads, c.eps(), Arrays.hashCode(freq));
  }
}
