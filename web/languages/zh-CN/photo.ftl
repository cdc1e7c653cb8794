photo = 照片
photo-choose = 选择照片
photo-take = 拍摄照片
photo-remove = 移除照片
photo-none = 还没有照片
photo-many = 多张照片
photo-folder = 文件夹
photo-back-to-table = 返回 { $n-files } 张照片的表格
photo-other-ways = 您也可以把照片或文件夹拖放或粘贴到此页面的任何位置。
photo-samples = 或试用一张绘制的示例：
photo-see-answers = 查看答案
photo-see-error = 查看问题
photo-drop = 拖放照片或文件夹
photo-chosen = 所选照片：{ $name }

sample = 示例：{ $shows }
sample-spot = 圆形棕色斑点
sample-lesion = 不规则的深色皮损
sample-plaque = 带鳞屑的斑块

photo-dark = 照片偏暗。请在日光下或用更多光线重新拍摄。
photo-blurred = 照片看起来模糊。请拿稳手机，或稍远一些重新拍摄。
photo-few-pixels = 照片的这一部分像素太少。请靠近一些重新拍摄。

crop-begin = 框选皮损
crop-size = 方框大小
crop-smaller = 缩小方框
crop-larger = 放大方框
crop-whole = 整张照片
crop-hint = 拖动方框或一个角，或双指捏合。
crop-keys = 鼠标：滚轮。键盘：方向键、+ 和 −；Esc 键恢复整张照片。
crop-square = 模型查看的方框
crop-in-words = 照片 { $n-width } × { $n-height } 像素中 { $n-side } × { $n-side } 的方框，距左边 { $n-left }，距顶边 { $n-top }。
seen-of-photo = 模型看到的照片：{ $n-side } × { $n-side } 像素。
seen-of-square = 模型看到的方框：{ $n-side } × { $n-side } 像素。

server = 在服务器上计算
server-hint = 适合较慢的设备。这样照片会离开本设备：模型所需的像素（一个不含元数据的小方框）会发送到 { $server }。
