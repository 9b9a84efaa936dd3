// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Events;

namespace Veil.Core.Modules;

/// <summary>The fields of a module, read from its object: needs no privilege and no kernel.</summary>
public static class ModuleFields
{
    /// <summary>Those that are always there, then those that a flag adds.</summary>
    public static IReadOnlyList<ModuleField> Of(TraceModule module)
    {
        ArgumentNullException.ThrowIfNull(module);
        using var bpfObject = BpfObject.Open(module.ReadObject(), module.Name);
        var fields = new List<ModuleField>();
        foreach (var kind in module.EventsByFlag.Prepend(null))
        {
            var catalog = new EventCatalog();
            foreach (var (number, name) in EventCatalog.Declared(bpfObject.Btf))
            {
                if (module.Emits(name, kind))
                    catalog.Add(bpfObject.Btf, module, 0, number);
            }

            fields.AddRange(
                catalog.Schemas.SelectMany(static schema => schema.Fields)
                .Where(field => !fields.Exists(known => known.Field.Name == field.Name))
                .DistinctBy(static field => field.Name).Select(field => new ModuleField(field, kind?.Flags[0])));
        }

        return fields;
    }

    /// <summary>How to get a field that the events of this trace lack; nothing where none of the modules has it.</summary>
    public static string? HintFor(IEnumerable<TraceModule> modules, string field)
    {
        foreach (var module in modules)
        {
            // Most modules have no such flag, and then their objects need not be read.
            if (module.EventsByFlag.Count > 0 && Of(module).FirstOrDefault(known => known.Field.Name == field)?.Flag is { } flag)
                return $"module {module.Name} has it with --{flag}";
        }

        return null;
    }
}
