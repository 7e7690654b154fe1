#include "remote/message.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <fmt/format.h>
#include <kj/exception.h>

#include "message.capnp.h"

namespace braid {

namespace {

constexpr uint16_t kMagic = 0x4252;
constexpr size_t kValueWords = 3;
constexpr size_t kFixedWords = 64;

capnp::Data::Reader as_data(std::string_view bytes) {
  // Safety: kj's byte is unsigned char, which may alias any object.
  return {reinterpret_cast<const kj::byte*>(bytes.data()), bytes.size()};
}

std::string_view as_bytes(capnp::Data::Reader data) {
  // Safety: char may alias any object.
  return {reinterpret_cast<const char*>(data.begin()), data.size()};
}

void write(const Value& value, wire::Value::Builder out) {
  switch (value.type) {
    case Value::Type::kNull:
      out.setNull();
      break;
    case Value::Type::kInt64:
      out.setInt64(value.integer);
      break;
    case Value::Type::kDouble:
      out.setDouble(value.real);
      break;
    case Value::Type::kText: {
      auto text = out.initText(static_cast<unsigned>(value.bytes.size()));
      if (!value.bytes.empty()) std::memcpy(text.begin(), value.bytes.data(), value.bytes.size());
      break;
    }
    case Value::Type::kBlob:
      out.setBlob(as_data(value.bytes));
      break;
  }
}

bool read(wire::Value::Reader in, Value& out) {
  switch (in.which()) {
    case wire::Value::NULL_:
      return true;
    case wire::Value::INT64:
      out = Value::number(in.getInt64());
      return true;
    case wire::Value::DOUBLE:
      out = Value::real_number(in.getDouble());
      return true;
    case wire::Value::TEXT: {
      const capnp::Text::Reader text = in.getText();
      out = Value::text({text.begin(), text.size()});
      return true;
    }
    case wire::Value::BLOB:
      out = Value::blob(as_bytes(in.getBlob()));
      return true;
  }
  return false;
}

bool read(wire::Message::Reader in, Message& out) {
  if (in.getOperation() >= kOperationCount) return false;
  out.operation = static_cast<Operation>(in.getOperation());
  out.handle = in.getHandle();
  out.code = in.getCode();
  out.in_transaction = in.getInTransaction();
  out.error_offset = in.getErrorOffset();
  const capnp::Text::Reader error = in.getError();
  out.error.assign(error.begin(), error.size());
  const auto values = in.getValues();
  // A list of empty structs claims elements that take no bytes: what each value takes must be there.
  if (values.size() > out.words.size() / kValueWords) return false;
  out.values.resize(values.size());
  for (unsigned i = 0; i < values.size(); ++i)
    if (!read(values[i], out.values[i])) return false;
  return true;
}

size_t words_of(const Message& message) {
  size_t words = kFixedWords + message.error.size() / sizeof(capnp::word) + message.values.size() * kValueWords;
  for (const Value& value : message.values) words += value.bytes.size() / sizeof(capnp::word) + 2;
  return words;
}

}  // namespace

std::string encode_header(FrameHeader header) {
  std::string bytes(kHeaderBytes, '\0');
  const auto kind = static_cast<uint16_t>(header.kind);
  std::memcpy(bytes.data(), &kMagic, sizeof kMagic);
  std::memcpy(bytes.data() + 2, &kind, sizeof kind);
  std::memcpy(bytes.data() + 4, &header.words, sizeof header.words);
  return bytes;
}

Result<FrameHeader> decode_header(const char* bytes) {
  uint16_t magic, kind;
  FrameHeader header;
  std::memcpy(&magic, bytes, sizeof magic);
  std::memcpy(&kind, bytes + 2, sizeof kind);
  std::memcpy(&header.words, bytes + 4, sizeof header.words);
  header.kind = static_cast<FrameKind>(kind);
  const bool known = header.kind == FrameKind::kMessage || (header.kind == FrameKind::kInterrupt && header.words == 0);
  if (magic != kMagic || !known) return Status(StatusCode::kCorrupt, "the bytes on the socket are no message of Braid");
  return header;
}

Result<std::string> encode_message(const Message& message, size_t bytes_max) {
  const size_t words = words_of(message);
  if (words * sizeof(capnp::word) > bytes_max)
    return Status(StatusCode::kLimit, fmt::format("the call or its answer takes {} bytes, a message between processes has at most {}",
                                                  words * sizeof(capnp::word), bytes_max));
  std::string frame;
  const auto failure = kj::runCatchingExceptions([&] {
    capnp::MallocMessageBuilder builder(static_cast<unsigned>(words));
    auto root = builder.initRoot<wire::Message>();
    root.setOperation(static_cast<uint16_t>(message.operation));
    root.setHandle(message.handle);
    root.setCode(message.code);
    root.setInTransaction(message.in_transaction);
    root.setErrorOffset(message.error_offset);
    if (!message.error.empty()) root.setError(capnp::Text::Reader(message.error.c_str(), message.error.size()));
    if (!message.values.empty()) {
      auto values = root.initValues(static_cast<unsigned>(message.values.size()));
      for (unsigned i = 0; i < message.values.size(); ++i) write(message.values[i], values[i]);
    }
    const auto flat = capnp::messageToFlatArray(builder);
    frame = encode_header({FrameKind::kMessage, static_cast<uint32_t>(flat.size())});
    const auto bytes = flat.asBytes();
    // Safety: char may alias any object.
    frame.append(reinterpret_cast<const char*>(bytes.begin()), bytes.size());
  });
  if (failure != nullptr) return Status(StatusCode::kInternal, "the message cannot be encoded");
  return frame;
}

Result<Message> decode_message(std::vector<uint64_t> words) {
  Message message;
  message.words = std::move(words);
  bool good = false;
  capnp::ReaderOptions options;
  // Each word may be visited a few times, not more.
  options.traversalLimitInWords = message.words.size() * 2 + 1024;
  const auto failure = kj::runCatchingExceptions([&] {
    // Safety: a capnp::word is eight bytes with the alignment of uint64_t, made to be laid over such a buffer.
    const auto* start = reinterpret_cast<const capnp::word*>(message.words.data());
    capnp::FlatArrayMessageReader reader(kj::ArrayPtr<const capnp::word>(start, message.words.size()), options);
    good = read(reader.getRoot<wire::Message>(), message);
  });
  if (failure != nullptr || !good) return Status(StatusCode::kCorrupt, "the bytes on the socket are no message of Braid");
  return message;
}

}  // namespace braid
