using System.Text.Json.Serialization;

namespace Spillway.Engine.Gateway;

/// <summary>Source-generated JSON of what the gateway writes itself.</summary>
[JsonSerializable(typeof(string))]
internal sealed partial class WireJson : JsonSerializerContext;
