package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * One operation on one shape with one set of data, to be run by any {@link Ops} of one element type
 * E, or by a reference in double. Inputs are numbers of the types in which they are given, so that
 * rounding them is nobody's error. Tensors lie between canaries, which are NaN so that reading them
 * shows as well as writing them; they begin at addresses that are multiples of an element only.
 */
final class OpCase {
  /**
   * {@code type}: E, F32 whatever E is, or one type for every library. An output starts as given,
   * or as NaN when values are null.
   */
  private record Slot(Function<Ops, DType> type, long[] shape, double[] values, boolean written) {}

  /** Odd, so that tensors are not aligned to vectors; or not, since then other code runs. */
  static final int ODD = 67, ALIGNED = 64;

  private int canaries = ODD;

  final String name;
  private final DType element;
  private final Map<String, Slot> slots = new LinkedHashMap<>();
  private final Map<String, Double> terms = new LinkedHashMap<>();
  private BiConsumer<Ops, Map<String, Tensor>> call;
  private long products;
  private double exponent = 1;

  OpCase(String name, DType element) {
    this.name = name;
    this.element = element;
  }

  /** Inputs of E, of F32, of I32, of another type. */
  OpCase in(String slot, double[] values, long... shape) {
    return add(slot, Ops::dtype, rounded(element, values), false, shape);
  }

  OpCase wideIn(String slot, double[] values, long... shape) {
    return add(slot, Ops::wide, rounded(DType.F32, values), false, shape);
  }

  OpCase ints(String slot, double... values) {
    return in(slot, DType.I32, values, values.length);
  }

  OpCase in(String slot, DType dtype, double[] values, long... shape) {
    return add(slot, _ -> dtype, rounded(dtype, values), false, shape);
  }

  /** Outputs of E, of F32, of F64. */
  OpCase out(String slot, long... shape) {
    return add(slot, Ops::dtype, null, true, shape);
  }

  OpCase wideOut(String slot, long... shape) {
    return add(slot, Ops::wide, null, true, shape);
  }

  OpCase doubles(String slot, long... shape) {
    return add(slot, _ -> DType.F64, null, true, shape);
  }

  /** What is read and written, of E, of F32. */
  OpCase inout(String slot, double[] values, long... shape) {
    return add(slot, Ops::dtype, rounded(element, values), true, shape);
  }

  OpCase wideInout(String slot, double[] values, long... shape) {
    return add(slot, Ops::wide, rounded(DType.F32, values), true, shape);
  }

  /** The six tensors of sampled queries; p is an output when {@code captured}. */
  OpCase queries(Sampling s, boolean captured) {
    ints("heads", s.heads()).ints("rowStart", s.rowStart()).ints("pos", s.pos());
    in("prefix", DType.I64, s.prefix(), s.prefix().length)
        .wideIn("weight", s.weight(), s.weight().length);
    return captured ? wideOut("p", s.p().length) : wideIn("p", s.p(), s.p().length);
  }

  static Queries queries(Map<String, Tensor> t) {
    return new Queries(
        t.get("heads"),
        t.get("rowStart"),
        t.get("pos"),
        t.get("prefix"),
        t.get("weight"),
        t.get("p"));
  }

  private OpCase add(
      String slot, Function<Ops, DType> type, double[] values, boolean written, long... shape) {
    slots.put(slot, new Slot(type, shape, values, written));
    return this;
  }

  private static double[] rounded(DType dtype, double[] values) {
    return Arrays.stream(values).map(x -> Noise.rounded(dtype, x)).toArray();
  }

  /** The same, but for one slot, which is of a type that an operation may not want. */
  OpCase retyped(String slot, DType dtype) {
    var c = new OpCase(name, element).canaries(canaries).run(call);
    c.slots.putAll(slots);
    var s = slots.get(slot);
    return c.add(slot, _ -> dtype, s.values, s.written, s.shape);
  }

  /** All slots, with what each is of in {@code ops}. */
  Map<String, DType> types(Ops ops) {
    var types = new LinkedHashMap<String, DType>();
    slots.forEach((slot, s) -> types.put(slot, s.type.apply(ops)));
    return types;
  }

  /** What the name begins with: the method of {@link Ops}. */
  String operation() {
    return name.replaceAll("^([a-z]+[A-Za-z]*?)(Heads)?\\[.*", "$1");
  }

  /** The operation, and which of its arguments are given. */
  String signature() {
    return operation() + slots.keySet();
  }

  /** Elements of all slots. */
  long size() {
    return slots.values().stream().mapToLong(s -> Tensor.size(s.shape)).sum();
  }

  /**
   * Says that an output is the difference of terms of this size, which its rounding is measured by.
   */
  OpCase terms(String slot, double size) {
    terms.put(slot, size);
    return this;
  }

  /** Says how many products the longest sum has that a GPU's tensor cores make of floats. */
  OpCase products(long most) {
    products = most;
    return this;
  }

  /**
   * Says that outputs go with exponentials of sums of this size: they are off by as many times as
   * much, in parts of themselves.
   */
  OpCase exponentialOf(double size) {
    exponent = Math.max(1, size);
    return this;
  }

  /** What {@link #exponentialOf} said, else 1. */
  double exponent() {
    return exponent;
  }

  /** What {@link #products} said, else 0. */
  long products() {
    return products;
  }

  /** What {@link #terms} said, else 0. */
  double terms(String slot) {
    return terms.getOrDefault(slot, 0.0);
  }

  /** Elements before and after each tensor. */
  OpCase canaries(int elements) {
    canaries = elements;
    return this;
  }

  OpCase run(BiConsumer<Ops, Map<String, Tensor>> op) {
    call = op;
    return this;
  }

  /**
   * Runs the operation and returns its outputs. Throws AssertionError when a canary or an input
   * changed, or an output has an element that was not written or is not finite.
   */
  Map<String, double[]> run(Ops ops) {
    try (var memory = new Memory(name)) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      Map<String, Tensor> guarded = new LinkedHashMap<>();
      slots.forEach(
          (slot, s) -> {
            DType dtype = s.type.apply(ops);
            long n = Tensor.size(s.shape);
            Tensor host = memory.allocate(slot, dtype, n + 2 * canaries);
            for (int i = 0; i < host.size(); i++) host.set(i, canary(dtype));
            for (int i = 0; i < n; i++)
              host.set(canaries + i, s.values == null ? Double.NaN : s.values[i]);
            Tensor all = host;
            if (dtype != DType.I32 && dtype != DType.I64 && dtype != DType.F64) {
              all = ops.allocate(memory, slot, dtype, host.shape());
              all.copyFrom(host);
            }
            Tensor t = all.view(canaries, s.shape);
            guarded.put(slot, all);
            tensors.put(slot, t);
          });
      Map<String, MemorySegment> before = new LinkedHashMap<>();
      guarded.forEach((slot, t) -> before.put(slot, MemorySegment.ofArray(bytes(t))));
      call.accept(ops, tensors);
      Map<String, double[]> results = new LinkedHashMap<>();
      slots.forEach(
          (slot, s) -> {
            Tensor after = guarded.get(slot).toHost();
            check(slot, s, before.get(slot), after.data(), after.view(canaries, s.shape));
            if (s.written) results.put(slot, tensors.get(slot).toDoubles());
          });
      return results;
    }
  }

  private static byte[] bytes(Tensor t) {
    return t.toHost().data().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE);
  }

  private static double canary(DType dtype) {
    return dtype == DType.I32 || dtype == DType.I64 ? 0x5A5A5A5A : Double.NaN;
  }

  private void check(String slot, Slot s, MemorySegment before, MemorySegment after, Tensor t) {
    long end = after.byteSize();
    long from = (long) canaries * t.dtype().bytes;
    long to = s.written ? end - from : from;
    boolean same =
        MemorySegment.mismatch(before, 0, from, after, 0, from) < 0
            && MemorySegment.mismatch(before, to, end, after, to, end) < 0;
    if (!same) {
      throw new AssertionError(
          name + ": " + slot + (s.written ? ": canary overwritten" : ": input or canary changed"));
    }
    for (int i = 0; s.written && i < t.size(); i++) {
      if (!Double.isFinite(t.get(i))) {
        throw new AssertionError(name + ": " + slot + "[" + i + "] is " + t.get(i));
      }
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
