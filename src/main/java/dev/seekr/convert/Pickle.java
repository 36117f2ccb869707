package dev.seekr.convert;

import dev.seekr.Failure;
import dev.seekr.convert.TorchGlobals.Dict;
import dev.seekr.convert.TorchGlobals.Items;
import dev.seekr.convert.TorchGlobals.Plain;
import dev.seekr.convert.TorchGlobals.Tuple;
import dev.seekr.tensor.Tensor;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the pickle of a PyTorch checkpoint. A pickle is a program: this runs the instructions that
 * build dictionaries of tensors and nothing else. What it asks for by name is looked up in {@link
 * TorchGlobals}, never in Java or Python, and refused by that name where it is not there.
 */
final class Pickle {
  /** Bytes; a model of a hundred thousand tensors has less. */
  static final int LARGEST = 32 << 20;

  private static final int MOST_STEPS = 1 << 22, MOST_HELD = 1 << 20;
  private static final int LONGEST_TEXT = 1 << 16, MOST_DIMENSIONS = 32;

  private final Path file;
  private final ByteBuffer in;
  private final List<Object> stack = new ArrayList<>();
  private final List<Integer> marks = new ArrayList<>();
  private final Map<Integer, Object> memo = new HashMap<>();

  private Pickle(Path file, byte[] bytes) {
    this.file = file;
    in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * What the pickle builds: of the kinds of {@link TorchGlobals}, texts, Long, Double and Boolean.
   * It may hold itself.
   *
   * @param file names it in messages
   * @throws Failure (65) naming what it asks for that is no part of a tensor, or what is wrong
   */
  static Object read(Path file, byte[] bytes) {
    var pickle = new Pickle(file, bytes);
    try {
      return pickle.run();
    } catch (BufferUnderflowException e) {
      throw pickle.wrong("it ends in the middle; the file is truncated");
    }
  }

  private Object run() {
    for (int step = 0; step < MOST_STEPS; step++) {
      int code = u1();
      Opcode op = Opcode.of(code);
      if (op == null) throw wrong("byte 0x%02x is no instruction".formatted(code));
      if (op == Opcode.INST) throw asks(name());
      if (!op.known) throw asks("the instruction " + op);
      if (op == Opcode.STOP) {
        if (stack.size() != 1 || !marks.isEmpty() || in.hasRemaining())
          throw wrong("it does not end with one object alone");
        return pop();
      }
      step(op);
      if (Math.max(stack.size(), Math.max(memo.size(), marks.size())) > MOST_HELD)
        throw wrong("it holds more than %d objects".formatted(MOST_HELD));
    }
    throw wrong("it has more than %d instructions".formatted(MOST_STEPS));
  }

  private void step(Opcode op) {
    switch (op) {
      case PROTO -> protocol();
      case FRAME -> size(in.getLong(), in.remaining(), "a frame");
      case MARK -> marks.add(stack.size());
      case NONE -> stack.add(Plain.NONE);
      case NEWTRUE -> stack.add(true);
      case NEWFALSE -> stack.add(false);
      case BININT -> stack.add((long) in.getInt());
      case BININT1 -> stack.add((long) u1());
      case BININT2 -> stack.add((long) (in.getShort() & 0xffff));
      case LONG1 -> stack.add(whole());
      case BINFLOAT -> stack.add(Double.longBitsToDouble(Long.reverseBytes(in.getLong())));
      case SHORT_BINUNICODE -> stack.add(text(u1()));
      case BINUNICODE -> stack.add(text(in.getInt() & 0xffffffffL));
      case BINUNICODE8 -> stack.add(text(in.getLong()));
      case EMPTY_DICT -> stack.add(new Dict());
      case EMPTY_LIST -> stack.add(new Items());
      case EMPTY_TUPLE -> stack.add(new Tuple(List.of()));
      case TUPLE -> stack.add(new Tuple(popMark()));
      case TUPLE1 -> stack.add(new Tuple(popped(1)));
      case TUPLE2 -> stack.add(new Tuple(popped(2)));
      case TUPLE3 -> stack.add(new Tuple(popped(3)));
      case APPEND -> append(popped(1));
      case APPENDS -> append(popMark());
      case SETITEM -> set(popped(2));
      case SETITEMS -> set(popMark());
      case BINPUT -> memo.put(u1(), top());
      case LONG_BINPUT -> memo.put(in.getInt(), top());
      case MEMOIZE -> memo.put(memo.size(), top());
      case BINGET -> stack.add(got(u1()));
      case LONG_BINGET -> stack.add(got(in.getInt()));
      case GLOBAL -> stack.add(global(name()));
      case STACK_GLOBAL -> stackGlobal();
      case BINPERSID -> stack.add(storage(pop()));
      case REDUCE -> reduce();
      case BUILD -> build();
      default -> throw new IllegalStateException("of " + op);
    }
  }

  private void protocol() {
    int version = u1();
    if (version < 2 || version > 5)
      throw wrong("it has protocol %d; expected 2 to 5".formatted(version));
  }

  private Object global(String name) {
    Object found = TorchGlobals.global(name);
    if (found == null) throw asks(name);
    return found;
  }

  /** Of a class or function, in two lines. */
  private String name() {
    return line() + "." + line();
  }

  private void stackGlobal() {
    List<Object> names = popped(2);
    if (!(names.get(0) instanceof String module && names.get(1) instanceof String name))
      throw wrong("it asks for something whose name is no text");
    stack.add(global(module + "." + name));
  }

  /** ('storage', type, key, device, elements). */
  private TorchGlobals.Storage storage(Object id) {
    if (id instanceof Tuple t
        && t.items.size() == 5
        && "storage".equals(t.items.get(0))
        && t.items.get(1) instanceof TorchGlobals.Type type
        && t.items.get(2) instanceof String key
        && t.items.get(3) instanceof String
        && t.items.get(4) instanceof Long elements
        && elements >= 0) return new TorchGlobals.Storage(type, key, elements);
    throw wrong("it refers to something that is no storage of a tensor");
  }

  private void reduce() {
    List<Object> call = popped(2);
    if (!(call.get(1) instanceof Tuple arguments)) throw wrong("it calls without arguments");
    List<Object> args = arguments.items;
    if (!(call.get(0) instanceof TorchGlobals.Callable callable))
      throw asks("a call of " + TorchGlobals.kind(call.get(0)));
    stack.add(
        switch (callable) {
          case TENSOR -> tensor(args);
          case PARAMETER -> parameter(args);
          case DICTIONARY -> {
            if (!args.isEmpty()) throw wrong("collections.OrderedDict is called with arguments");
            yield new Dict();
          }
        });
  }

  /** (storage, offset, shape, stride, whether it has a gradient, hooks[, flags]). */
  private TorchGlobals.View tensor(List<Object> args) {
    if (args.size() >= 6
        && args.size() <= 7
        && args.get(0) instanceof TorchGlobals.Storage storage
        && args.get(1) instanceof Long offset
        && args.get(2) instanceof Tuple shape
        && args.get(3) instanceof Tuple stride
        && empty(args.get(5))
        && empty(args.getLast())) return view(storage, offset, numbers(shape), numbers(stride));
    throw wrong("torch._utils._rebuild_tensor_v2 is called with arguments that make no tensor");
  }

  private TorchGlobals.View view(
      TorchGlobals.Storage storage, long offset, long[] shape, long[] stride) {
    var view = new TorchGlobals.View(storage, offset, shape, stride);
    try {
      long size = Tensor.size(shape), last = offset;
      for (int d = 0; d < shape.length; d++)
        last = Math.addExact(last, Math.multiplyExact(Math.max(0, shape[d] - 1), stride[d]));
      boolean within = offset >= 0 && shape.length == stride.length;
      if (within && (size == 0 || last < storage.elements() && size <= storage.elements()))
        return view;
    } catch (ArithmeticException | ArrayIndexOutOfBoundsException e) {
      // Falls through: no storage is that large.
    }
    throw wrong("a tensor reaches out of its storage, data/%s".formatted(storage.key()));
  }

  private long[] numbers(Tuple tuple) {
    if (tuple.items.size() > MOST_DIMENSIONS)
      throw wrong("a tensor has %d dimensions".formatted(tuple.items.size()));
    long[] numbers = new long[tuple.items.size()];
    for (int i = 0; i < numbers.length; i++) {
      if (!(tuple.items.get(i) instanceof Long n) || n < 0)
        throw wrong("the size or stride of a tensor is no whole number from 0 on");
      numbers[i] = n;
    }
    return numbers;
  }

  /** (tensor, whether it has a gradient, hooks). */
  private TorchGlobals.View parameter(List<Object> args) {
    if (args.size() == 3 && args.get(0) instanceof TorchGlobals.View view && empty(args.get(2)))
      return view;
    throw wrong("torch._utils._rebuild_parameter is called with arguments that make no parameter");
  }

  private static boolean empty(Object value) {
    return value == Plain.NONE || value instanceof Dict d && d.items.isEmpty();
  }

  /** PyTorch hangs versions on the dictionary of a model: its one attribute, of no use here. */
  private void build() {
    Object state = pop();
    boolean versions =
        top() instanceof Dict
            && state instanceof Dict attributes
            && attributes.items.size() == 1
            && attributes.items.containsKey("_metadata");
    if (!versions) throw asks("BUILD, the state of " + TorchGlobals.kind(top()));
  }

  private void append(List<Object> values) {
    if (!(top() instanceof Items list)) throw wrong("it appends to what is no list");
    list.items.addAll(values);
  }

  private void set(List<Object> keysAndValues) {
    if (!(top() instanceof Dict dict) || keysAndValues.size() % 2 != 0)
      throw wrong("it puts something into what is no dictionary");
    for (int i = 0; i < keysAndValues.size(); i += 2) {
      Object key = keysAndValues.get(i);
      if (!(key instanceof String || key instanceof Long))
        throw wrong("a dictionary has a key that is neither text nor whole number");
      if (dict.items.put(key, keysAndValues.get(i + 1)) != null)
        throw wrong("a dictionary has the key '%s' twice".formatted(key));
    }
  }

  private Object got(int index) {
    Object value = memo.get(index);
    if (value == null) throw wrong("it asks for what it has not kept");
    return value;
  }

  private Object top() {
    return items(1).getFirst();
  }

  private Object pop() {
    return popped(1).getFirst();
  }

  /** The last n, which must lie behind the last mark. */
  private List<Object> items(int n) {
    int least = marks.isEmpty() ? 0 : marks.getLast();
    if (stack.size() - least < n) throw wrong("it takes more than it has");
    return stack.subList(stack.size() - n, stack.size());
  }

  private List<Object> popped(int n) {
    List<Object> last = items(n), copy = List.copyOf(last);
    last.clear();
    return copy;
  }

  private List<Object> popMark() {
    if (marks.isEmpty()) throw wrong("it takes more than it has");
    return popped(stack.size() - marks.removeLast());
  }

  private int u1() {
    return in.get() & 0xff;
  }

  /** Little-endian, of at most eight bytes. */
  private long whole() {
    int bytes = u1();
    if (bytes > Long.BYTES) throw wrong("it has a whole number of %d bytes".formatted(bytes));
    long value = 0;
    for (int i = 0; i < bytes; i++) value |= (long) u1() << 8 * i;
    int unused = 64 - 8 * bytes;
    return bytes == 0 ? 0 : value << unused >> unused;
  }

  private String text(long bytes) {
    size(bytes, LONGEST_TEXT, "a text");
    if (bytes > in.remaining()) throw new BufferUnderflowException();
    byte[] text = new byte[(int) bytes];
    in.get(text);
    return decoded(ByteBuffer.wrap(text));
  }

  /** Up to the end of a line. */
  private String line() {
    int from = in.position();
    while (in.get() != '\n')
      if (in.position() - from > LONGEST_TEXT) size(LONGEST_TEXT + 1L, LONGEST_TEXT, "a name");
    return decoded(in.slice(from, in.position() - 1 - from));
  }

  private String decoded(ByteBuffer text) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(text).toString();
    } catch (CharacterCodingException e) {
      throw wrong("it has a text that is not UTF-8");
    }
  }

  private void size(long bytes, long most, String what) {
    if (bytes < 0 || bytes > most)
      throw wrong(
          "it has %s of %s bytes; expected at most %d"
              .formatted(what, Long.toUnsignedString(bytes), most));
  }

  private Failure wrong(String what) {
    return Failure.data(
        "%s: the pickle is not one of tensors: at byte %d, %s", file, in.position(), what);
  }

  private Failure asks(String what) {
    return Failure.data(
        "%s: the pickle asks for %s, which is not a tensor; nothing of it was executed. Take the"
            + " model as safetensors, or from its author save the tensors alone:"
            + " torch.save(model.state_dict(), FILE)",
        file, what);
  }
}
