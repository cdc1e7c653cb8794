page-title = Dermake：在您自己的设备上为皮肤照片排列标签
page-subtitle = 按与皮肤照片的符合程度，排列您选择的标签。
page-research = 研究软件，不是医疗器械。
page-no-diagnosis = 它不作诊断：如果您对皮肤上的任何变化感到担心，请让医生查看。
page-photo-stays = 照片只留在本设备上。
page-photo-sent = 照片会发送到 { $server }。
page-runs-here = 模型在此浏览器中运行。本页面只下载自己的文件，不发送任何内容。
page-runs-on-server = 按您的选择，模型在服务器上运行：每张照片所需的像素会发送到服务器。
page-stores = 您的标签保存在本设备上；照片也保存在本设备上，直到您关闭此标签页或移除照片。
page-offline = 已保存在本设备上：此页面现在可以离线使用。
page-offline-part = 已保存在本设备上：此页面现在可以离线使用，但自定义标签除外：它们所需的模型部分会在您首次使用时下载。
page-licenses = 本页面及其所含软件的许可证（英文）

language = 语言
language-failed = 无法下载该语言的文字：{ $language }。页面仍显示中文。请检查网络，然后重新选择语言。
